"""An archived image is not there for those who pull, who are told why; pushed again, it is there again."""

import json
from collections.abc import Awaitable, Callable

import pytest

from berth.database.db import Database
from berth.images import storage_classes
from berth.images.storage_classes import StorageClass
from berth.names import Digest, Registry
from berth.repositories import Repository
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient, sha256

Make = Callable[..., Awaitable[Repository]]
REASON = "restore it by UpdateImageStorageClass, or push it again"


@pytest.fixture
def archive(database: Database, registry: Registry) -> Callable[[str], Awaitable[Digest]]:
    async def archive(digest: str) -> Digest:
        return await storage_classes.change(database, registry, "team/app", Digest(digest), None, StorageClass.ARCHIVE)

    return archive


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_archived_image_cannot_be_pulled(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]], method: str
) -> None:
    await make_repository("team/app")
    digest, document = await client.push_image("team/app", "v1")
    await archive(digest)
    for reference in ("v1", digest):
        answer = await client.send(method, f"team/app/manifests/{reference}")
        assert answer.status == 404
        if method == "GET":
            assert answer.error == {"code": "MANIFEST_UNKNOWN", "message": f"Requested image is archived: {REASON}"}
    for blob in (document["config"], *document["layers"]):
        answer = await client.send(method, f"team/app/blobs/{blob['digest']}")
        assert answer.status == 404
        if method == "GET":
            assert answer.error["code"] == "BLOB_UNKNOWN"
            assert "archived" in answer.error["message"]


async def test_an_archived_image_is_in_no_list(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]]
) -> None:
    await make_repository("team/app")
    image, _ = await client.push_image("team/app", "v1", b"image")
    subject = {"mediaType": OCI_MANIFEST, "digest": image, "size": 1}
    signature, _ = await client.push_image("team/app", "sig", b"signature", subject=subject)
    await archive(signature)
    assert json.loads((await client.send("GET", "team/app/tags/list")).body)["tags"] == ["v1"]
    assert json.loads((await client.send("GET", f"team/app/referrers/{image}")).body)["manifests"] == []


async def test_what_another_image_needs_too_can_be_pulled(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]]
) -> None:
    await make_repository("team/app")
    archived, _ = await client.push_image("team/app", "v1", b"one")
    await client.push_image("team/app", "v2", b"two")
    await archive(archived)
    assert (await client.send("GET", f"team/app/blobs/{sha256(b'{}')}")).body == b"{}"
    assert (await client.send("GET", f"team/app/blobs/{sha256(b'layerone')}")).status == 404


async def test_an_archived_image_that_is_pushed_again_can_be_pulled_again(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]]
) -> None:
    await make_repository("team/app", "IMMUTABLE")
    digest, document = await client.push_image("team/app", "v1")
    await archive(digest)
    layer = document["layers"][0]["digest"]
    assert (await client.send("HEAD", f"team/app/blobs/{layer}")).status == 404
    await client.push_blob("team/app", b"layer")
    assert (await client.send("HEAD", f"team/app/blobs/{layer}")).status == 200
    await client.push_manifest("team/app", "v1", document)
    for path in ("manifests/v1", f"blobs/{layer}", f"blobs/{document['config']['digest']}"):
        assert (await client.send("GET", f"team/app/{path}")).status == 200


async def test_an_archived_layer_is_not_mounted_elsewhere(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]]
) -> None:
    await make_repository("team/app")
    await make_repository("other")
    digest, document = await client.push_image("team/app", "v1")
    layer = document["layers"][0]["digest"]
    mount = f"other/blobs/uploads/?mount={layer}&from={client.prefix.removeprefix('/v2/')}/team/app"
    await archive(digest)
    assert (await client.send("POST", mount)).status == 202
    await client.push_manifest("team/app", "v1", document)
    assert (await client.send("POST", mount)).status == 201


async def test_an_archived_image_can_be_deleted(
    client: RegistryClient, make_repository: Make, archive: Callable[[str], Awaitable[Digest]]
) -> None:
    await make_repository("team/app")
    digest, _ = await client.push_image("team/app", "v1")
    await archive(digest)
    assert (await client.send("DELETE", f"team/app/manifests/{digest}")).status == 202
    answer = await client.send("GET", f"team/app/manifests/{digest}")
    assert answer.error["message"] == "Requested image not found"
