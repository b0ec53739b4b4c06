"""The layer operations: an image can be pushed and pulled through the API alone."""

import asyncio
import re
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from berth import uploads
from berth.database.db import Database
from berth.layers import downloads
from berth.names import Registry
from berth.schema import uploads as uploads_table
from berth.settings import Settings
from berth.store.filesystem import FilesystemStore
from berth.uploads import MIN_PART_BYTES, PART_BYTES
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import LAYER, digest_of, manifest_of, push_image, push_layer

ABSENT = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")


@pytest.fixture
async def upload(api: Api) -> str:
    begun = await api.initiate_layer_upload(repositoryName="team/app")
    assert begun["partSize"] == PART_BYTES
    return str(uuid.UUID(begun["uploadId"]))


async def part(api: Api, upload: str, first: int, content: bytes) -> dict[str, object]:
    return await api.upload_layer_part(
        repositoryName="team/app",
        uploadId=upload,
        partFirstByte=first,
        partLastByte=first + len(content) - 1,
        layerPartBlob=content,
    )


async def test_a_layer_of_many_parts_is_whole_and_downloads(api: Api, registry: Registry, upload: str) -> None:
    content = bytes(range(256)) * (MIN_PART_BYTES // 256) * 2 + b"the end"
    for first in range(0, len(content), MIN_PART_BYTES):
        piece = content[first : first + MIN_PART_BYTES]
        assert await part(api, upload, first, piece) == {
            "registryId": registry.account,
            "repositoryName": "team/app",
            "uploadId": upload,
            "lastByteReceived": first + len(piece) - 1,
        }
    digest = digest_of(content)
    done = await api.complete_layer_upload(repositoryName="team/app", uploadId=upload, layerDigests=[digest])
    assert done == {
        "registryId": registry.account,
        "repositoryName": "team/app",
        "uploadId": upload,
        "layerDigest": digest,
    }
    checked = await api.batch_check_layer_availability(repositoryName="team/app", layerDigests=[digest])
    assert checked["layers"][0]["layerSize"] == len(content)
    await push_layer(api, "team/app", b"{}")
    await api.put_image(repositoryName="team/app", imageManifest=manifest_of(b"{}", [content]))
    found = await api.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest)
    assert found["layerDigest"] == digest
    assert await asyncio.to_thread(fetch, found["downloadUrl"]) == content


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


async def test_a_part_of_twenty_mebibytes_fits_and_one_byte_more_does_not(api: Api, upload: str) -> None:
    largest = bytes(20 * 1024 * 1024)
    refusal = await api.refused(
        "upload_layer_part",
        repositoryName="team/app",
        uploadId=upload,
        partFirstByte=0,
        partLastByte=len(largest),
        layerPartBlob=largest + b"x",
    )
    assert refusal.message == (
        "Invalid parameter at 'layerPartBlob' failed to satisfy constraint: "
        "'Member must have length less than or equal to 20971520'"
    )
    assert (await part(api, upload, 0, largest))["lastByteReceived"] == len(largest) - 1


async def test_a_download_address_can_be_neither_changed_nor_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await push_image(api, "team/app")
    digest = digest_of(b"layer of image")
    url = (await api.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest))["downloadUrl"]
    changed = re.sub(r".{4}$", "AAAA", url)
    monkeypatch.setattr(downloads, "SECONDS", -1)
    late = (await api.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest))["downloadUrl"]
    for bad in (changed, late):
        with pytest.raises(urllib.error.HTTPError) as caught:
            await asyncio.to_thread(fetch, bad)
        assert caught.value.code == 403
        caught.value.close()


async def test_a_layer_of_no_image_cannot_be_downloaded(api: Api, registry: Registry) -> None:
    digest = await push_layer(api, "team/app", b"a layer")
    refusal = await api.refused("get_download_url_for_layer", repositoryName="team/app", layerDigest=digest)
    assert (refusal.code, refusal.status) == ("LayerInaccessibleException", 400)
    assert refusal.message == (
        f"The layer with digest '{digest}' in the repository with name 'team/app' in the registry with id "
        f"'{registry.account}' is not accessible because it is not associated with an image"
    )


async def test_an_image_says_of_what_type_a_layer_is(api: Api) -> None:
    await push_image(api, "team/app")
    digest = digest_of(b"layer of image")
    checked = await api.batch_check_layer_availability(repositoryName="team/app", layerDigests=[digest])
    assert checked["layers"][0]["mediaType"] == LAYER


async def test_layers_are_available_missing_or_no_layers_at_all(api: Api) -> None:
    digest = await push_layer(api, "team/app", b"a layer")
    checked = await api.batch_check_layer_availability(
        repositoryName="team/app", layerDigests=[digest, ABSENT, "no", "", digest]
    )
    assert checked["layers"] == [
        {
            "layerDigest": digest,
            "layerAvailability": "AVAILABLE",
            "layerSize": 7,
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        },
        {"layerDigest": ABSENT, "layerAvailability": "UNAVAILABLE"},
    ]
    assert [(f["layerDigest"], f["failureCode"]) for f in checked["failures"]] == [
        ("no", "InvalidLayerDigest"),
        ("", "MissingLayerDigest"),
    ]


async def test_a_part_that_does_not_follow_is_told_where_the_upload_goes_on(
    api: Api, registry: Registry, upload: str
) -> None:
    await part(api, upload, 0, b"x" * 10)
    for first, last, content in [(11, 12, b"ab"), (0, 9, b"x" * 10), (10, 20, b"short"), (10, 9, b""), (10, 8, b"a")]:
        refusal = await api.refused(
            "upload_layer_part",
            repositoryName="team/app",
            uploadId=upload,
            partFirstByte=first,
            partLastByte=last,
            layerPartBlob=content,
        )
        assert (refusal.code, refusal.status) == ("InvalidLayerPartException", 400)
        assert {name: refusal.response[name] for name in ("registryId", "repositoryName", "uploadId")} == {
            "registryId": registry.account,
            "repositoryName": "team/app",
            "uploadId": upload,
        }
        assert refusal.response["lastValidByteReceived"] == 9
    assert (await part(api, upload, 10, b"y"))["lastByteReceived"] == 10


async def test_of_an_empty_upload_there_is_no_last_valid_byte(api: Api, upload: str) -> None:
    refusal = await api.refused(
        "upload_layer_part",
        repositoryName="team/app",
        uploadId=upload,
        partFirstByte=1,
        partLastByte=1,
        layerPartBlob=b"x",
    )
    assert refusal.code == "InvalidLayerPartException"
    assert "lastValidByteReceived" not in refusal.response


async def test_an_upload_that_is_none_or_of_another_repository_is_not_found(api: Api, upload: str) -> None:
    await api.create_repository(repositoryName="other")
    for repository, upload_id in (("team/app", str(uuid.uuid4())), ("other", upload)):
        for operation, members in (
            ("upload_layer_part", {"partFirstByte": 0, "partLastByte": 0, "layerPartBlob": b"x"}),
            ("upload_layer_part", {"partFirstByte": 0, "partLastByte": 1, "layerPartBlob": b"x"}),
            ("complete_layer_upload", {"layerDigests": [ABSENT]}),
        ):
            refusal = await api.refused(operation, repositoryName=repository, uploadId=upload_id, **members)
            assert refusal.code == "UploadNotFoundException"
            assert upload_id in refusal.message


async def test_an_upload_is_complete_only_with_its_digest(api: Api, upload: str) -> None:
    members = {"repositoryName": "team/app", "uploadId": upload}
    assert (await api.refused("complete_layer_upload", **members, layerDigests=[ABSENT])).code == "EmptyUploadException"
    await part(api, upload, 0, b"a layer")
    assert (
        await api.refused("complete_layer_upload", **members, layerDigests=[ABSENT])
    ).code == "InvalidLayerException"
    for digests in (["sha256:ab"], [ABSENT, digest_of(b"a layer")], [], ["no digest"]):
        refusal = await api.refused("complete_layer_upload", **members, layerDigests=digests)
        assert refusal.code == "InvalidParameterException"
    await api.complete_layer_upload(**members, layerDigests=[digest_of(b"a layer")])


async def test_an_upload_is_completed_once(api: Api, upload: str) -> None:
    members = {"repositoryName": "team/app", "uploadId": upload, "layerDigests": [digest_of(b"a layer")]}
    await part(api, upload, 0, b"a layer")
    await api.complete_layer_upload(**members)
    assert (await api.refused("complete_layer_upload", **members)).code == "UploadNotFoundException"
    refusal = await api.refused(
        "upload_layer_part",
        repositoryName="team/app",
        uploadId=upload,
        partFirstByte=7,
        partLastByte=7,
        layerPartBlob=b"x",
    )
    assert refusal.code == "UploadNotFoundException"


async def test_a_digest_that_is_given_twice_is_one(api: Api, upload: str) -> None:
    await part(api, upload, 0, b"a layer")
    digest = digest_of(b"a layer")
    done = await api.complete_layer_upload(repositoryName="team/app", uploadId=upload, layerDigests=[digest, digest])
    assert done["layerDigest"] == digest


async def test_an_upload_that_nobody_touches_expires(
    api: Api, upload: str, database: Database, settings: Settings
) -> None:
    await part(api, upload, 0, b"a layer")
    other = (await api.initiate_layer_upload(repositoryName="team/app"))["uploadId"]
    async with database.transaction() as connection:
        long_ago = datetime.now(UTC) - timedelta(days=2)
        old = update(uploads_table).where(uploads_table.c.id == uuid.UUID(upload)).values(touched_at=long_ago)
        await connection.execute(old)
    await uploads.expire(database, FilesystemStore(settings.store_folder), timedelta(days=1))
    for operation, members in (
        ("complete_layer_upload", {"layerDigests": [digest_of(b"a layer")]}),
        ("upload_layer_part", {"partFirstByte": 7, "partLastByte": 7, "layerPartBlob": b"x"}),
    ):
        refusal = await api.refused(operation, repositoryName="team/app", uploadId=upload, **members)
        assert refusal.code == "UploadNotFoundException"
    await part(api, other, 0, b"a layer")


async def test_only_the_last_part_may_be_small(api: Api, upload: str) -> None:
    await part(api, upload, 0, b"small")
    await part(api, upload, 5, b"more")
    refusal = await api.refused(
        "complete_layer_upload", repositoryName="team/app", uploadId=upload, layerDigests=[digest_of(b"smallmore")]
    )
    assert refusal.code == "LayerPartTooSmallException"


async def test_a_layer_that_is_there_already_is_not_pushed_again(api: Api, upload: str) -> None:
    digest = await push_layer(api, "team/app", b"a layer")
    await part(api, upload, 0, b"a layer")
    refusal = await api.refused(
        "complete_layer_upload", repositoryName="team/app", uploadId=upload, layerDigests=[digest]
    )
    assert refusal.code == "LayerAlreadyExistsException"


async def test_a_layer_that_the_repository_does_not_hold_cannot_be_downloaded(api: Api) -> None:
    await api.create_repository(repositoryName="other")
    digest = await push_layer(api, "other", b"a layer")
    refusal = await api.refused("get_download_url_for_layer", repositoryName="team/app", layerDigest=digest)
    assert (refusal.code, refusal.status) == ("LayersNotFoundException", 400)
    assert digest in refusal.message
    for bad in ("no", "sha256:ab"):
        refusal = await api.refused("get_download_url_for_layer", repositoryName="team/app", layerDigest=bad)
        assert refusal.code == "InvalidParameterException"
