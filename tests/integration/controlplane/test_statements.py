"""How many statements each operation sends to PostgreSQL: a promise, for what grows here slows every client."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.pushing import Pushed, digest_of, push_image
from tests.integration.controlplane.test_documents import LIFECYCLE, POLICY

Members = dict[str, Any]
Prepare = Callable[[Api], Awaitable[Members]]
NAME = {"repositoryName": "team/app"}
ARCHIVE = {"imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"}


async def nothing(_api: Api) -> Members:
    return {}


async def begun(api: Api) -> Members:
    return {"uploadId": (await api.initiate_layer_upload(**NAME))["uploadId"]}


async def uploaded(api: Api) -> Members:
    members = await begun(api)
    await api.upload_layer_part(**NAME, **members, partFirstByte=0, partLastByte=2, layerPartBlob=b"new")
    return {**members, "layerDigests": [digest_of(b"new")]}


async def arn(api: Api) -> Members:
    return {
        "resourceArn": (await api.describe_repositories(repositoryNames=["team/app"]))["repositories"][0][
            "repositoryArn"
        ]
    }


async def arn_and_tags(api: Api) -> Members:
    return {**await arn(api), "tags": [{"Key": "a", "Value": "b"}]}


async def arn_and_keys(api: Api) -> Members:
    return {**await arn(api), "tagKeys": ["a"]}


async def with_policy(api: Api) -> Members:
    await api.set_repository_policy(**NAME, policyText=POLICY)
    return {}


async def with_lifecycle(api: Api) -> Members:
    await api.put_lifecycle_policy(**NAME, lifecyclePolicyText=LIFECYCLE)
    return {}


@pytest.fixture
async def pushed(api: Api) -> Pushed:
    await api.create_repository(repositoryName="team/app")
    return await push_image(api, "team/app", "v1", "v2")


@pytest.mark.parametrize(
    ("operation", "members", "prepare", "number"),
    [
        # What is written on a repository that is not there is not remembered.
        ("create_repository", {"repositoryName": "another"}, nothing, 2),
        ("describe_repositories", {}, nothing, 1),
        ("describe_repositories", {"repositoryNames": ["team/app"]}, nothing, 1),
        ("delete_repository", {**NAME, "force": True}, nothing, 5),
        ("put_image_tag_mutability", {**NAME, "imageTagMutability": "IMMUTABLE"}, nothing, 1),
        ("put_image_scanning_configuration", {**NAME, "imageScanningConfiguration": {}}, nothing, 1),
        ("tag_resource", {}, arn_and_tags, 3),
        ("untag_resource", {}, arn_and_keys, 2),
        ("list_tags_for_resource", {}, arn, 1),
        ("get_authorization_token", {}, nothing, 0),
        ("describe_registry", {}, nothing, 1),
        ("list_images", NAME, nothing, 1),
        ("describe_images", NAME, nothing, 1),
        ("describe_images", {**NAME, "imageIds": [{"imageTag": "v1"}]}, nothing, 1),
        ("batch_get_image", {**NAME, "imageIds": [{"imageTag": "v1"}]}, nothing, 2),
        ("batch_delete_image", {**NAME, "imageIds": [{"imageTag": "v1"}]}, nothing, 7),
        ("list_image_referrers", {**NAME, "subjectId": {"imageDigest": "sha256:" + "0" * 64}}, nothing, 1),
        ("update_image_storage_class", {**NAME, **ARCHIVE}, nothing, 5),
        ("batch_check_layer_availability", {**NAME, "layerDigests": ["sha256:" + "0" * 64]}, nothing, 1),
        ("initiate_layer_upload", NAME, nothing, 1),
        ("upload_layer_part", {**NAME, "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": b"x"}, begun, 2),
        ("complete_layer_upload", NAME, uploaded, 3),
        ("put_lifecycle_policy", {**NAME, "lifecyclePolicyText": LIFECYCLE}, nothing, 1),
        ("get_lifecycle_policy", NAME, with_lifecycle, 1),
        ("delete_lifecycle_policy", NAME, with_lifecycle, 1),
        ("set_repository_policy", {**NAME, "policyText": POLICY}, nothing, 2),
        ("get_repository_policy", NAME, with_policy, 1),
        ("delete_repository_policy", NAME, with_policy, 2),
    ],
)
async def test_an_operation_sends_so_many_statements(
    api: Api,
    plane: CountedPlane,
    pushed: Pushed,
    operation: str,
    members: Members,
    prepare: Prepare,
    number: int,
) -> None:
    prepared = await prepare(api)
    await plane.hears()
    # What is written on the registry and the repository is known from now on.
    await api.describe_registry()
    await api.describe_repositories(repositoryNames=["team/app"])
    await api.describe_repositories()
    with plane.counting() as statements:
        await getattr(api, operation)(**members, **prepared)
    assert len(statements) == number, "\n".join(statements)


async def test_the_statements_of_an_image_do_not_depend_on_its_size(
    api: Api, plane: CountedPlane, pushed: Pushed
) -> None:
    with plane.counting() as statements:
        await api.put_image(**NAME, imageManifest=pushed.manifest, imageTag="v3")
    # One of them tries whether all of it is new.
    assert len(statements) == 7, "\n".join(statements)
    config = json.loads(pushed.manifest)["config"]["digest"]
    with plane.counting() as statements:
        await api.get_download_url_for_layer(**NAME, layerDigest=config)
    assert len(statements) == 1, "\n".join(statements)


@pytest.mark.parametrize(("size", "number"), [(1, 1), (100, 100)])
async def test_a_page_is_one_question_whatever_its_size(api: Api, plane: CountedPlane, size: int, number: int) -> None:
    for repository in range(number):
        await api.create_repository(repositoryName=f"r{repository:03}")
    await api.describe_repositories(maxResults=size)  # What is written on the registry is known from now on.
    with plane.counting() as statements:
        page = await api.describe_repositories(maxResults=size)
    assert len(page["repositories"]) == number
    assert len(statements) == 1


async def test_the_caller_is_known_without_a_question(sts: Api, plane: CountedPlane) -> None:
    await sts.get_caller_identity()
    with plane.counting() as statements:
        await sts.get_caller_identity()
    assert statements == []
