"""UpdateImageStorageClass, and what an archived image is to the other operations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth.images.pulls import ARCHIVED
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import Pushed, digest_of, index_of, push_image, push_layer

NAME = {"repositoryName": "team/app"}
ABSENT = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(**NAME)


async def move(api: Api, target: str, **image_id: str) -> dict[str, Any]:
    return await api.update_image_storage_class(**NAME, imageId=image_id, targetStorageClass=target)


async def archive(api: Api, digest: str) -> None:
    assert (await move(api, "ARCHIVE", imageDigest=digest))["imageStatus"] == "ARCHIVED"


async def status_of(api: Api, digest: str) -> str:
    (detail,) = (await api.describe_images(**NAME, imageIds=[{"imageDigest": digest}]))["imageDetails"]
    return str(detail["imageStatus"])


async def push_index(api: Api, *images: Pushed, tag: str = "all") -> str:
    put = await api.put_image(**NAME, imageManifest=index_of(*images), imageTag=tag)
    return str(put["image"]["imageId"]["imageDigest"])


async def test_an_image_goes_into_the_archive_and_comes_back(api: Api, registry: Registry) -> None:
    pushed = await push_image(api, "team/app", "v1")
    common = {"registryId": registry.account, **NAME}
    image_id = {"imageDigest": pushed.digest, "imageTag": "v1"}
    assert await move(api, "ARCHIVE", imageTag="v1") == {**common, "imageId": image_id, "imageStatus": "ARCHIVED"}
    assert await move(api, "STANDARD", **image_id) == {**common, "imageId": image_id, "imageStatus": "ACTIVE"}
    (detail,) = (await api.describe_images(**NAME))["imageDetails"]
    assert detail["imageStatus"] == "ACTIVE"
    for moment in (detail["lastArchivedAt"], detail["lastActivatedAt"]):
        assert datetime.now(UTC) - moment < timedelta(minutes=1)
    assert detail["lastArchivedAt"] < detail["lastActivatedAt"]
    by_digest = {"imageDigest": pushed.digest}
    assert (await move(api, "ARCHIVE", **by_digest))["imageId"] == by_digest


async def test_an_image_that_is_so_already_is_left_alone(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    assert (await move(api, "STANDARD", imageTag="v1"))["imageStatus"] == "ACTIVE"
    assert "lastActivatedAt" not in (await api.describe_images(**NAME))["imageDetails"][0]
    await archive(api, pushed.digest)
    named = {**NAME, "imageIds": [{"imageTag": "v1"}]}
    before = await api.describe_images(**named)
    await archive(api, pushed.digest)
    assert await api.describe_images(**named) == before


async def test_an_archived_image_is_listed_where_it_is_asked_for(api: Api) -> None:
    active = await push_image(api, "team/app", "v1", seed="active")
    archived = await push_image(api, "team/app", "v2", seed="archived")
    await archive(api, archived.digest)
    expected = {
        None: {active.digest},
        "ACTIVE": {active.digest},
        "ARCHIVED": {archived.digest},
        "ACTIVATING": set(),
        "ANY": {active.digest, archived.digest},
    }
    for status, digests in expected.items():
        given = {**NAME, "filter": {"imageStatus": status, "tagStatus": "TAGGED"}} if status else NAME
        assert {image["imageDigest"] for image in (await api.list_images(**given))["imageIds"]} == digests
        assert {image["imageDigest"] for image in (await api.describe_images(**given))["imageDetails"]} == digests
    untagged = {**NAME, "filter": {"imageStatus": "ANY", "tagStatus": "UNTAGGED"}}
    assert await api.list_images(**untagged) == {"imageIds": []}
    assert await api.describe_images(**untagged) == {"imageDetails": []}


async def test_a_named_image_is_described_whatever_its_status_is_unless_one_is_asked_for(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    await archive(api, pushed.digest)
    named = {**NAME, "imageIds": [{"imageTag": "v1"}]}
    (detail,) = (await api.describe_images(**named))["imageDetails"]
    assert (detail["imageStatus"], detail["imageTags"]) == ("ARCHIVED", ["v1"])
    for chosen, number in [
        ({"imageStatus": "ARCHIVED"}, 1),
        ({"imageStatus": "ACTIVE"}, 0),
        ({"imageStatus": "ANY", "tagStatus": "TAGGED"}, 1),
        ({"imageStatus": "ANY", "tagStatus": "UNTAGGED"}, 0),
    ]:
        assert len((await api.describe_images(**named, filter=chosen))["imageDetails"]) == number


async def test_an_archived_image_cannot_be_pulled_and_says_why(api: Api, registry: Registry) -> None:
    pushed = await push_image(api, "team/app", "v1")
    await archive(api, pushed.digest)
    ids = [{"imageTag": "v1"}, {"imageDigest": pushed.digest}]
    got = await api.batch_get_image(**NAME, imageIds=ids)
    assert got == {
        "images": [],
        "failures": [
            {"imageId": image_id, "failureCode": "ImageInaccessible", "failureReason": ARCHIVED} for image_id in ids
        ],
    }
    layer = digest_of(b"layer of image")
    refusal = await api.refused("get_download_url_for_layer", **NAME, layerDigest=layer)
    assert refusal.code == "LayerInaccessibleException"
    assert refusal.message == (
        f"The layer with digest '{layer}' in the repository with name 'team/app' in the registry with id "
        f"'{registry.account}' is not accessible because all images that need it are archived: "
        "restore one by UpdateImageStorageClass, or push it again"
    )
    await move(api, "STANDARD", imageTag="v1")
    assert len((await api.batch_get_image(**NAME, imageIds=ids))["images"]) == 1
    assert (await api.get_download_url_for_layer(**NAME, layerDigest=layer))["layerDigest"] == layer


async def test_a_layer_is_archived_with_the_last_of_its_images(api: Api) -> None:
    one = await push_image(api, "team/app", "one", annotations={"a": "1"})
    two = await push_image(api, "team/app", "two", annotations={"a": "2"})
    layer = digest_of(b"layer of image")

    async def availability() -> str:
        checked = await api.batch_check_layer_availability(**NAME, layerDigests=[layer])
        (found,) = checked["layers"]
        assert (found["layerDigest"], found["layerSize"], checked["failures"]) == (layer, 14, [])
        return str(found["layerAvailability"])

    await archive(api, one.digest)
    assert await availability() == "AVAILABLE"
    await archive(api, two.digest)
    assert await availability() == "ARCHIVED"
    await move(api, "STANDARD", imageTag="one")
    assert await availability() == "AVAILABLE"
    await api.batch_delete_image(**NAME, imageIds=[{"imageTag": "one"}])
    assert await availability() == "ARCHIVED"
    assert await push_layer(api, "team/app", b"layer of image") == layer
    assert await availability() == "AVAILABLE"


@pytest.mark.parametrize("mode", ["MUTABLE", "IMMUTABLE"])
async def test_an_archived_image_that_is_pushed_again_is_active_again(api: Api, mode: str) -> None:
    pushed = await push_image(api, "team/app", "v1")
    await api.put_image_tag_mutability(**NAME, imageTagMutability=mode)
    await archive(api, pushed.digest)
    again = {**NAME, "imageManifest": pushed.manifest, "imageTag": "v1"}
    put = await api.put_image(**again)
    assert put["image"]["imageId"] == {"imageDigest": pushed.digest, "imageTag": "v1"}
    assert await status_of(api, pushed.digest) == "ACTIVE"
    assert (await api.refused("put_image", **again)).code in {
        "ImageAlreadyExistsException",
        "ImageTagAlreadyExistsException",
    }


async def test_a_tag_of_an_archived_image_moves_to_another_one(api: Api) -> None:
    old = await push_image(api, "team/app", "v1", seed="old")
    await archive(api, old.digest)
    new = await push_image(api, "team/app", "v1", seed="new")
    got = await api.batch_get_image(**NAME, imageIds=[{"imageTag": "v1"}])
    assert got["images"][0]["imageId"]["imageDigest"] == new.digest
    assert await status_of(api, old.digest) == "ARCHIVED"


async def test_an_archived_image_can_be_deleted(api: Api) -> None:
    pushed = await push_image(api, "team/app", "v1")
    await archive(api, pushed.digest)
    deleted = await api.batch_delete_image(**NAME, imageIds=[{"imageDigest": pushed.digest}])
    assert deleted == {"imageIds": [{"imageDigest": pushed.digest, "imageTag": "v1"}], "failures": []}


async def test_the_images_of_an_index_follow_it_into_the_archive_and_come_back_before_it(
    api: Api, registry: Registry
) -> None:
    image = await push_image(api, "team/app", seed="amd64")
    other = await push_image(api, "team/app", seed="arm64")
    index = await push_index(api, image, other)

    async def refused(target: str, digest: str, reason: str) -> None:
        refusal = await api.refused(
            "update_image_storage_class", **NAME, imageId={"imageDigest": digest}, targetStorageClass=target
        )
        assert refusal.code == "ImageStorageClassUpdateNotSupportedException"
        assert refusal.message == (
            f"The storage class of the image with digest '{digest}' in the repository with name 'team/app' "
            f"in the registry with id '{registry.account}' cannot be updated to {target} because {reason}"
        )

    await refused("ARCHIVE", image.digest, f"it is referenced by manifest list: [{index}]")
    await archive(api, index)
    await archive(api, image.digest)
    await refused("STANDARD", index, f"it references archived images: [{image.digest}]")
    refusal = await api.refused("put_image", **NAME, imageManifest=index_of(image, other))
    assert refusal.code == "ReferencedImagesNotFoundException"
    assert refusal.message == (
        f"Images with digests '[{image.digest}]' required for pushing image into repository with name 'team/app' "
        f"in the registry with id '{registry.account}' are archived"
    )
    await move(api, "STANDARD", imageDigest=image.digest)
    await move(api, "STANDARD", imageDigest=index)
    await refused("ARCHIVE", image.digest, f"it is referenced by manifest list: [{index}]")


async def test_an_image_that_is_not_there_has_no_storage_class(api: Api, registry: Registry) -> None:
    await push_image(api, "team/app", "v1")
    for image_id, shown in [
        ({"imageTag": "no"}, "{imageDigest:'null', imageTag:'no'}"),
        ({"imageDigest": ABSENT}, f"{{imageDigest:'{ABSENT}', imageTag:'null'}}"),
        ({"imageTag": "v1", "imageDigest": ABSENT}, f"{{imageDigest:'{ABSENT}', imageTag:'v1'}}"),
    ]:
        refusal = await api.refused(
            "update_image_storage_class", **NAME, imageId=image_id, targetStorageClass="ARCHIVE"
        )
        assert refusal.code == "ImageNotFoundException"
        assert refusal.message == (
            f"The image with imageId {shown} does not exist within the repository with name 'team/app' "
            f"in the registry with id '{registry.account}'"
        )


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"imageId": {}}, "InvalidParameterException"),
        ({"imageId": {"imageDigest": "no"}}, "InvalidParameterException"),
        ({"imageId": {"imageTag": "a b"}}, "InvalidParameterException"),
        ({"targetStorageClass": "GLACIER"}, "InvalidParameterException"),
        ({"targetStorageClass": None}, "InvalidParameterException"),
        ({"repositoryName": "no"}, "RepositoryNotFoundException"),
    ],
)
async def test_what_says_no_image_or_no_class_is_refused(api: Api, members: dict[str, Any], code: str) -> None:
    given = {**NAME, "imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE", **members}
    given = {name: value for name, value in given.items() if value is not None}
    assert (await api.refused("update_image_storage_class", **given)).code == code
