"""Who may not read a repository cannot find out what is in it, nor whether it is there."""

import asyncio
import json
from typing import Any

import boto3
import botocore.exceptions
import pytest

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.names import Registry
from berth.sealing import Seal
from tests.attacks.conftest import ABSENT, STRANGER, MakeRepository, same
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient

PROBES = [
    ("HEAD", "blobs/{layer}"),
    ("GET", "blobs/{layer}"),
    ("DELETE", "blobs/{layer}"),
    ("HEAD", "manifests/{image}"),
    ("GET", "manifests/{image}"),
    ("PUT", "manifests/{image}"),
    ("DELETE", "manifests/{image}"),
    ("GET", "referrers/{image}"),
    ("POST", "blobs/uploads/?mount={layer}"),
    ("POST", "blobs/uploads/?digest={layer}"),
]


@pytest.mark.parametrize(("method", "path"), PROBES, ids=[f"{method} {path}" for method, path in PROBES])
async def test_another_account_sees_no_difference(
    client: RegistryClient, stranger: RegistryClient, make_repository: MakeRepository, method: str, path: str
) -> None:
    await make_repository("secret")
    image, document = await client.push_image("secret", "v1")
    layer = document["layers"][0]["digest"]
    answers = [
        await stranger.send(method, f"secret/{path.format(layer=layer, image=image)}"),
        await stranger.send(method, f"secret/{path.format(layer=ABSENT, image=ABSENT)}"),
    ]
    assert answers[0].status == 403
    assert same(*answers)
    absent = await stranger.send(method, f"no-such/{path.format(layer=layer, image=image)}")
    assert absent.status == 403
    assert absent.body.replace(b"no-such", b"secret") == answers[0].body


@pytest.mark.parametrize("tag", ["v1", "no-such"])
async def test_another_account_sees_no_tags(
    client: RegistryClient, stranger: RegistryClient, make_repository: MakeRepository, tag: str
) -> None:
    await make_repository("secret")
    await client.push_image("secret", "v1")
    assert (await stranger.send("GET", f"secret/manifests/{tag}")).status == 403
    assert (await stranger.send("GET", "secret/tags/list")).status == 403
    assert (await stranger.send("GET", "_catalog")).status == 403


async def test_a_layer_of_another_repository_is_as_absent_as_one_of_none(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("secret")
    await make_repository("other")
    image, document = await client.push_image("secret", "v1")
    layer = document["layers"][0]["digest"]
    for method, path in PROBES[:3] + PROBES[3:5] + PROBES[6:8]:
        answers = [
            await client.send(method, f"other/{path.format(layer=layer, image=image)}"),
            await client.send(method, f"other/{path.format(layer=ABSENT, image=ABSENT)}"),
        ]
        assert answers[0].body.replace(image.encode(), b"") == answers[1].body.replace(ABSENT.encode(), b"")
        assert answers[0].status == answers[1].status


async def test_a_manifest_does_not_tell_which_layers_are_elsewhere(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("secret")
    await make_repository("other")
    _, document = await client.push_image("secret", "v1")
    told = []
    for layer in (document["layers"][0]["digest"], ABSENT):
        config = await client.push_blob("other", b"{}")
        asked = {
            "schemaVersion": 2,
            "config": document["config"] | {"digest": config},
            "layers": [document["layers"][0] | {"digest": layer}],
        }
        answer = await client.send(
            "PUT", "other/manifests/v1", data=json.dumps(asked).encode(), headers={"Content-Type": OCI_MANIFEST}
        )
        assert (answer.status, answer.error["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
        told.append(answer.error["message"].replace(layer, "LAYER"))
    assert told[0] == told[1]


async def test_the_api_tells_another_account_nothing(
    client: RegistryClient,
    make_repository: MakeRepository,
    api_url: str,
    database: Database,
    seal: Seal,
    registry: Registry,
) -> None:
    await make_repository("secret")
    image, document = await client.push_image("secret", "v1")
    key = await access_keys.create_root(database, seal, STRANGER)
    other = boto3.client(
        "ecr",
        endpoint_url=api_url,
        region_name=registry.region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
    )

    async def told(operation: str, **members: Any) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            await asyncio.to_thread(getattr(other, operation), registryId=registry.account, **members)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
        return str(caught.value.response["Error"]["Message"])

    layer = document["layers"][0]["digest"]
    for operation, name, present in (
        ("batch_check_layer_availability", "layerDigests", [layer]),
        ("get_download_url_for_layer", "layerDigest", layer),
        ("batch_get_image", "imageIds", [{"imageDigest": image}]),
        ("describe_images", "imageIds", [{"imageDigest": image}]),
    ):
        absent = json.loads(json.dumps(present).replace(layer, ABSENT).replace(image, ABSENT))
        answers = {
            (await told(operation, repositoryName=repository, **{name: value})).replace(repository, "REPOSITORY")
            for repository in ("secret", "no-such")
            for value in (present, absent)
        }
        assert len(answers) == 1, answers
    other.close()
