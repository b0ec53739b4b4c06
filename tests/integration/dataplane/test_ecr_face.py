"""What ECR is known by on `/v2/`: the challenge, the codes and the texts that its users have seen.

Where each was seen stands in docs/fidelity.md, "On `/v2/`".
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.passwords import load_keyring
from berth.images import storage_classes
from berth.names import Digest
from berth.repositories import Repository
from berth.sealing import Seal

from .conftest import OCI_INDEX, OCI_MANIFEST, Answer, RegistryClient, sha256

MakeRepository = Callable[..., Awaitable[Repository]]
ABSENT = "sha256:" + "a" * 64


def told(answer: Answer) -> tuple[int, str, str]:
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    return answer.status, answer.error["code"], answer.error["message"]


async def test_who_is_not_logged_in_is_told_how(registry_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/v2/", "/v2/app/manifests/v1", "/v2/app/blobs/" + ABSENT, "/v2/_catalog"):
            async with session.get(registry_url + path) as answer:
                assert answer.status == 401
                challenge = answer.headers["WWW-Authenticate"]
                assert re.fullmatch(r'Basic realm="https?://[^"]+/",service="ecr\.amazonaws\.com"', challenge)
                assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "manifests/v1"),
        ("GET", f"manifests/{ABSENT}"),
        ("DELETE", "manifests/v1"),
        ("GET", f"blobs/{ABSENT}"),
        ("DELETE", f"blobs/{ABSENT}"),
        ("POST", "blobs/uploads/"),
        ("POST", f"blobs/uploads/?mount={ABSENT}&from=other/name"),
        ("POST", f"blobs/uploads/?mount={ABSENT}"),
        ("POST", f"blobs/uploads/?digest={ABSENT}"),
        ("GET", "tags/list"),
        ("GET", f"referrers/{ABSENT}"),
    ],
)
async def test_a_repository_that_is_not_there_is_named(client: RegistryClient, method: str, path: str) -> None:
    account = client.prefix.split("/")[2]
    assert told(await client.send(method, f"no/such/{path}")) == (
        404,
        "NAME_UNKNOWN",
        f"The repository with name 'no/such' does not exist in the registry with id '{account}'",
    )


async def test_a_manifest_for_a_repository_that_is_not_there_is_refused_so(client: RegistryClient) -> None:
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    answer = await client.send("PUT", "no/such/manifests/v1", data=content, headers={"Content-Type": OCI_INDEX})
    assert told(answer)[:2] == (404, "NAME_UNKNOWN")


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "manifests/v1", "BatchGetImage"),
        ("HEAD", "manifests/v1", "BatchGetImage"),
        ("PUT", "manifests/v1", "PutImage"),
        ("DELETE", "manifests/v1", "BatchDeleteImage"),
        ("GET", f"blobs/{ABSENT}", "GetDownloadUrlForLayer"),
        ("HEAD", f"blobs/{ABSENT}", "BatchCheckLayerAvailability"),
        ("POST", "blobs/uploads/", "InitiateLayerUpload"),
        ("GET", "tags/list", "ListImages"),
        ("GET", f"referrers/{ABSENT}", "BatchGetImage"),
    ],
)
async def test_who_may_not_is_told_what(
    client: RegistryClient, make_repository: MakeRepository, database: Database, seal: Seal,
    method: str, path: str, action: str,
) -> None:  # fmt: skip
    repository = await make_repository("app")
    stranger = await access_keys.create_root(database, seal, "000000000044")
    password = (await load_keyring(database, seal)).close_password(stranger.principal)[0]
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    answer = await client.send(method, f"app/{path}", headers=headers)
    assert answer.status == 403
    if method != "HEAD":
        assert told(answer)[1:] == (
            "DENIED",
            f"User: arn:aws:iam::000000000044:root is not authorized to perform: ecr:{action} on resource: "
            f"{repository.arn} because no resource-based policy allows the ecr:{action} action",
        )


async def test_a_tag_that_is_immutable_stays(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app", "IMMUTABLE")
    _, document = await client.push_image("app", "v1")
    for content in (document, document | {"annotations": {"new": "yes"}}):
        answer = await client.send(
            "PUT", "app/manifests/v1", data=json.dumps(content).encode(), headers={"Content-Type": OCI_MANIFEST}
        )
        assert told(answer) == (
            400,
            "TAG_INVALID",
            "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is "
            "immutable.",
        )


async def test_layers_that_are_not_there_are_listed(client: RegistryClient, make_repository: MakeRepository) -> None:
    repository = await make_repository("app")
    config = await client.push_blob("app", b"{}")
    document = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": ABSENT, "size": 1}],
    }
    answer = await client.send(
        "PUT", "app/manifests/v1", data=json.dumps(document).encode(), headers={"Content-Type": OCI_MANIFEST}
    )
    assert told(answer) == (
        400,
        "MANIFEST_BLOB_UNKNOWN",
        f"Layers with digests '[{ABSENT}]' required for pushing image into repository with name 'app' in the registry "
        f"with id '{repository.registry.account}' do not exist",
    )


async def test_a_sparse_index_is_refused(client: RegistryClient, make_repository: MakeRepository) -> None:
    repository = await make_repository("app")
    present, _ = await client.push_image("app", None)
    platform = {"architecture": "amd64", "os": "linux"}
    manifests = [
        {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1, "platform": platform} for digest in (present, ABSENT)
    ]
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
    for reference in ("v1", sha256(content)):
        answer = await client.send(
            "PUT", f"app/manifests/{reference}", data=content, headers={"Content-Type": OCI_INDEX}
        )
        assert told(answer) == (
            400,
            "MANIFEST_BLOB_UNKNOWN",
            f"Images with digests '[{ABSENT}]' required for pushing image into repository with name 'app' in the "
            f"registry with id '{repository.registry.account}' do not exist",
        )
        assert (await client.send("HEAD", f"app/manifests/{reference}")).status == 404


async def test_what_is_not_there_is_not_found(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    for path in ("app/manifests/v1", f"app/manifests/{ABSENT}"):
        assert told(await client.send("GET", path)) == (404, "MANIFEST_UNKNOWN", "Requested image not found")
    assert told(await client.send("GET", f"app/blobs/{ABSENT}"))[:2] == (404, "BLOB_UNKNOWN")
    upload = "app/blobs/uploads/00000000-0000-0000-0000-000000000000"
    for method in ("GET", "PATCH", "DELETE"):
        assert told(await client.send(method, upload))[:2] == (404, "BLOB_UPLOAD_UNKNOWN")
    assert told(await client.send("PUT", f"{upload}?digest={ABSENT}"))[:2] == (404, "BLOB_UPLOAD_UNKNOWN")


async def test_an_archived_image_is_not_served(
    client: RegistryClient, make_repository: MakeRepository, database: Database
) -> None:
    repository = await make_repository("app")
    digest, document = await client.push_image("app", "v1")
    async with database.transaction() as connection:
        await storage_classes.archive(connection, repository.id, [Digest(digest)])
    for path in ("app/manifests/v1", f"app/manifests/{digest}"):
        assert told(await client.send("GET", path))[:2] == (404, "MANIFEST_UNKNOWN")
    assert told(await client.send("GET", f"app/blobs/{document['layers'][0]['digest']}"))[:2] == (404, "BLOB_UNKNOWN")


async def test_bytes_with_another_digest_are_refused(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    for digest in (ABSENT, "sha512:" + hashlib.sha512(b"other").hexdigest()):
        answer = await client.send("POST", f"app/blobs/uploads/?digest={digest}", data=b"layer")
        assert told(answer)[:2] == (400, "DIGEST_INVALID")
