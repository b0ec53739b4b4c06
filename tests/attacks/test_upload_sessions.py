"""An upload belongs to one repository and to whoever began it."""

import asyncio
import uuid
from typing import Any

import pytest

from berth import uploads
from berth.database.db import Database
from berth.names import Registry
from tests.attacks.conftest import MakeRepository
from tests.integration.dataplane.conftest import Answer, RegistryClient, sha256

CONTENT = b"the layer"
REQUESTS = {
    "GET": ("GET", "", b""),
    "PATCH": ("PATCH", "", b"more"),
    "PUT": ("PUT", f"?digest={sha256(b'more')}", b"more"),
    "DELETE": ("DELETE", "", b""),
}


async def begin(client: RegistryClient, name: str) -> str:
    answer = await client.send("POST", f"{name}/blobs/uploads/")
    assert answer.status == 202
    upload = str(answer.headers["Docker-Upload-UUID"])
    assert (await client.send("PATCH", f"{name}/blobs/uploads/{upload}", data=CONTENT)).status == 202
    return upload


async def completes(client: RegistryClient, name: str, upload: str) -> bool:
    """Whether the upload is still as it was: it becomes the layer that was sent."""
    answer = await client.send("PUT", f"{name}/blobs/uploads/{upload}?digest={sha256(CONTENT)}")
    return answer.status == 201


def unknown(answer: Answer) -> str:
    assert answer.status == 404, answer
    assert answer.error["code"] == "BLOB_UPLOAD_UNKNOWN"
    return answer.error["message"]


@pytest.mark.parametrize("method", REQUESTS)
async def test_it_is_unknown_in_another_repository(
    client: RegistryClient, make_repository: MakeRepository, method: str
) -> None:
    await make_repository("mine")
    await make_repository("other")
    upload, nothing = await begin(client, "mine"), str(uuid.uuid4())
    verb, query, body = REQUESTS[method]
    told = [
        unknown(await client.send(verb, f"other/blobs/uploads/{one}{query}", data=body)).replace(one, "UPLOAD")
        for one in (upload, nothing)
    ]
    assert told[0] == told[1]
    assert await completes(client, "mine", upload)
    assert (await client.send("HEAD", f"other/blobs/{sha256(b'more')}")).status == 404


@pytest.mark.parametrize("method", REQUESTS)
async def test_it_is_unknown_to_another_principal_of_the_account(
    client: RegistryClient, make_repository: MakeRepository, database: Database, registry: Registry, method: str
) -> None:
    await make_repository("mine")
    theirs = await uploads.begin(database, registry, "mine", f"arn:aws:iam::{registry.account}:user/somebody-else")
    verb, query, body = REQUESTS[method]
    unknown(await client.send(verb, f"mine/blobs/uploads/{theirs.id}{query}", data=body))


@pytest.mark.parametrize("method", REQUESTS)
async def test_it_is_denied_to_another_account_as_if_it_were_not_there(
    client: RegistryClient, stranger: RegistryClient, make_repository: MakeRepository, method: str
) -> None:
    await make_repository("mine")
    upload = await begin(client, "mine")
    verb, query, body = REQUESTS[method]
    answers = [
        await stranger.send(verb, f"mine/blobs/uploads/{one}{query}", data=body) for one in (upload, uuid.uuid4())
    ]
    assert [answer.status for answer in answers] == [403, 403]
    assert answers[0].body == answers[1].body
    assert await completes(client, "mine", upload)


async def test_the_api_does_not_know_it_in_another_repository(
    client: RegistryClient, ecr: Any, make_repository: MakeRepository
) -> None:
    await make_repository("mine")
    await make_repository("other")
    upload = (await asyncio.to_thread(ecr.initiate_layer_upload, repositoryName="mine"))["uploadId"]
    part = {"partFirstByte": 0, "partLastByte": len(CONTENT) - 1, "layerPartBlob": CONTENT, "uploadId": upload}
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        await asyncio.to_thread(ecr.upload_layer_part, repositoryName="other", **part)
    await asyncio.to_thread(ecr.upload_layer_part, repositoryName="mine", **part)
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        await asyncio.to_thread(
            ecr.complete_layer_upload, repositoryName="other", uploadId=upload, layerDigests=[sha256(CONTENT)]
        )
    assert await completes(client, "mine", upload)


async def test_the_api_does_not_know_that_of_another_principal(
    ecr: Any, make_repository: MakeRepository, database: Database, registry: Registry
) -> None:
    await make_repository("mine")
    theirs = await uploads.begin(database, registry, "mine", f"arn:aws:iam::{registry.account}:user/somebody-else")
    part = {"partFirstByte": 0, "partLastByte": len(CONTENT) - 1, "layerPartBlob": CONTENT}
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        await asyncio.to_thread(ecr.upload_layer_part, repositoryName="mine", uploadId=str(theirs.id), **part)
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        await asyncio.to_thread(
            ecr.complete_layer_upload,
            repositoryName="mine",
            uploadId=str(theirs.id),
            layerDigests=[sha256(CONTENT)],
        )


async def test_what_ended_is_unknown(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("mine")
    finished, cancelled = await begin(client, "mine"), await begin(client, "mine")
    assert await completes(client, "mine", finished)
    assert (await client.send("DELETE", f"mine/blobs/uploads/{cancelled}")).status == 204
    for upload in (finished, cancelled):
        for verb, query, body in REQUESTS.values():
            unknown(await client.send(verb, f"mine/blobs/uploads/{upload}{query}", data=body))
