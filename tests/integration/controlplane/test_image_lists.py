"""ListImages and DescribeImages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of, index_of, push_image


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")


def pairs(pages: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(image["imageDigest"], image.get("imageTag")) for page in pages for image in page["imageIds"]]


async def test_images_are_listed_by_digest_and_tag_page_by_page(api: Api) -> None:
    expected: list[tuple[str, str | None]] = []
    for number in range(3):
        tags = [f"t{number}{letter}" for letter in "abc"[:number]]
        pushed = await push_image(api, "team/app", *tags, seed=str(number))
        expected += [(pushed.digest, tag) for tag in tags or [None]]
    expected.sort(key=lambda pair: (pair[0], pair[1] or ""))
    for size in (1, 2, 100):
        pages = await api.pages("list_images", repositoryName="team/app", PaginationConfig={"PageSize": size})
        assert pairs(pages) == expected
        assert len(pages) == -(-len(expected) // size)
    tagged = await api.pages("list_images", repositoryName="team/app", filter={"tagStatus": "TAGGED"})
    assert pairs(tagged) == [pair for pair in expected if pair[1]]
    untagged = await api.pages("list_images", repositoryName="team/app", filter={"tagStatus": "UNTAGGED"})
    assert pairs(untagged) == [pair for pair in expected if not pair[1]]


async def test_an_image_is_described_with_all_that_ecr_tells_of_it(api: Api, registry: Registry) -> None:
    pushed = await push_image(api, "team/app", "b", "a")
    detail = (await api.describe_images(repositoryName="team/app"))["imageDetails"][0]
    assert datetime.now(UTC) - detail.pop("imagePushedAt") < timedelta(minutes=1)
    assert detail == {
        "registryId": registry.account,
        "repositoryName": "team/app",
        "imageDigest": pushed.digest,
        "imageTags": ["a", "b"],
        "imageSizeInBytes": pushed.size,
        "imageManifestMediaType": OCI_MANIFEST,
        "artifactMediaType": CONFIG,
        "imageStatus": "ACTIVE",
    }
    await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "a"}])
    pulled = (await api.describe_images(repositoryName="team/app"))["imageDetails"][0]["lastRecordedPullTime"]
    assert datetime.now(UTC) - pulled < timedelta(minutes=1)


async def test_an_index_and_an_artifact_are_described_as_what_they_are(api: Api) -> None:
    pushed = await push_image(api, "team/app")
    index = index_of(pushed)
    await api.put_image(repositoryName="team/app", imageManifest=index)
    subject = {"mediaType": OCI_MANIFEST, "digest": pushed.digest, "size": len(pushed.manifest)}
    signature = await push_image(api, "team/app", seed="s", subject=subject, artifactType="application/example")
    details = (await api.describe_images(repositoryName="team/app"))["imageDetails"]
    by_digest = {detail["imageDigest"]: detail for detail in details}
    assert by_digest[digest_of(index.encode())]["imageManifestMediaType"] == OCI_INDEX
    assert by_digest[signature.digest]["artifactMediaType"] == "application/example"
    assert by_digest[signature.digest]["subjectManifestDigest"] == pushed.digest
    assert "imageTags" not in by_digest[signature.digest]


async def test_images_are_described_page_by_page_and_by_tag_status(api: Api) -> None:
    tagged = {(await push_image(api, "team/app", f"t{n}", seed=f"t{n}")).digest for n in range(3)}
    bare = {(await push_image(api, "team/app", seed=f"u{n}")).digest for n in range(2)}

    async def described(**members: Any) -> list[str]:
        pages = await api.pages(
            "describe_images", repositoryName="team/app", PaginationConfig={"PageSize": 2}, **members
        )
        return [detail["imageDigest"] for page in pages for detail in page["imageDetails"]]

    assert await described() == sorted(tagged | bare)
    assert await described(filter={"tagStatus": "TAGGED"}) == sorted(tagged)
    assert await described(filter={"tagStatus": "UNTAGGED"}) == sorted(bare)
    assert await described(filter={"tagStatus": "ANY"}) == sorted(tagged | bare)


async def test_named_images_are_described_each_once(api: Api) -> None:
    one = await push_image(api, "team/app", "a", "b", seed="one")
    two = await push_image(api, "team/app", seed="two")
    ids = [
        {"imageTag": "b"},
        {"imageDigest": one.digest},
        {"imageDigest": two.digest},
        {"imageTag": "a", "imageDigest": one.digest},
    ]
    details = (await api.describe_images(repositoryName="team/app", imageIds=ids))["imageDetails"]
    assert [detail["imageDigest"] for detail in details] == [one.digest, two.digest]
    assert details[0]["imageTags"] == ["a", "b"]


async def test_a_named_image_that_is_not_there_is_named_back(api: Api, registry: Registry) -> None:
    pushed = await push_image(api, "team/app", "v1")
    absent = "sha256:" + "a" * 64
    for image_id, shown in [
        ({"imageTag": "no"}, "{imageDigest:'null', imageTag:'no'}"),
        ({"imageDigest": absent}, f"{{imageDigest:'{absent}', imageTag:'null'}}"),
        ({"imageTag": "v1", "imageDigest": absent}, f"{{imageDigest:'{absent}', imageTag:'v1'}}"),
        ({"imageTag": "no", "imageDigest": pushed.digest}, f"{{imageDigest:'{pushed.digest}', imageTag:'no'}}"),
    ]:
        refusal = await api.refused(
            "describe_images", repositoryName="team/app", imageIds=[{"imageTag": "v1"}, image_id]
        )
        assert refusal.code == "ImageNotFoundException"
        assert refusal.message == (
            f"The image with imageId {shown} does not exist within the repository with name 'team/app' "
            f"in the registry with id '{registry.account}'"
        )


@pytest.mark.parametrize(
    "members",
    [
        {"imageIds": [{}]},
        {"imageIds": [{"imageDigest": "no"}]},
        {"imageIds": [{"imageTag": "a b"}]},
        {"imageIds": [{"imageTag": "v1"}], "maxResults": 1},
        {"imageIds": [{"imageTag": "v1"}], "nextToken": "x"},
        {"filter": {"tagStatus": "SOME"}},
        {"maxResults": 1001},
    ],
)
async def test_a_description_that_cannot_be_is_refused(api: Api, members: dict[str, Any]) -> None:
    refusal = await api.refused("describe_images", repositoryName="team/app", **members)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
