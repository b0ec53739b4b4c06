"""StartLifecyclePolicyPreview and GetLifecyclePolicyPreview, with a worker that does what they ask for."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.config
import pytest
from procrastinate import App
from sqlalchemy import text

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.workers.tools import KEY, Tools
from tests.integration.conftest import Work
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.pushing import push_image

NAME = {"repositoryName": "team/app"}
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def rule(priority: int, action: dict[str, str] = EXPIRE, **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1, **selection}
    return {"rulePriority": priority, "selection": chosen, "action": action}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": rules}, indent=1)


KEEP_ONE = policy(rule(1))
# Both ways to be acted on: of the images of `pushed`, the rules take "a" and the untagged one.
TWO_RULES = policy(
    rule(1, ARCHIVE, tagStatus="tagged", tagPatternList=["a*"], countType="sinceImagePushed", countUnit="days"),
    rule(2, tagStatus="untagged", countType="sinceImagePushed", countUnit="days"),
)


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(**NAME)


@pytest.fixture
async def pushed(api: Api, database: Database) -> dict[str, str]:
    """Images that were pushed 1 to 4 days ago, and their digests by their first tags ("" for the untagged one)."""
    digests = {}
    tags = (("a1", "a2"), ("b",), (), ("a3",))
    for number, names in enumerate(tags):
        image = await push_image(api, "team/app", *names, seed=str(number))
        digests[names[0] if names else ""] = image.digest
        moment = datetime.now(UTC) - timedelta(days=4 - number, hours=1)
        async with database.transaction() as connection:
            await connection.execute(
                text("UPDATE images SET pushed_at = :moment WHERE digest = :digest"),
                {"moment": moment, "digest": image.digest},
            )
    return digests


async def test_a_preview_is_started_waited_for_and_got(
    plane: CountedPlane,
    root_key: AccessKey,
    registry: Registry,
    api: Api,
    pushed: dict[str, str],
    queue: App,
    tools: Tools,
) -> None:
    """All by boto3, its waiter and its paginator, while a worker is running."""
    client = boto3.client(
        "ecr",
        endpoint_url=plane.url,
        region_name=registry.region,
        aws_access_key_id=root_key.id,
        aws_secret_access_key=root_key.secret,
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )

    def preview() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        started = client.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
        waiter = client.get_waiter("lifecycle_policy_preview_complete")
        waiter.wait(**NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        paginator = client.get_paginator("get_lifecycle_policy_preview")
        return started, list(paginator.paginate(**NAME, PaginationConfig={"PageSize": 2}))

    working = asyncio.create_task(
        queue.run_worker_async(install_signal_handlers=False, delete_jobs="successful", additional_context={KEY: tools})
    )
    try:
        started, pages = await asyncio.to_thread(preview)
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        client.close()
    del started["ResponseMetadata"]
    answer = {"registryId": registry.account, **NAME, "lifecyclePolicyText": KEEP_ONE}
    assert started == {**answer, "status": "IN_PROGRESS"}
    assert [len(page["previewResults"]) for page in pages] == [2, 1]
    for page in pages:
        assert {name: page[name] for name in answer} == answer
        assert (page["status"], page["summary"]) == ("COMPLETE", {"expiringImageTotalCount": 3})
    results = [result for page in pages for result in page["previewResults"]]
    assert [result["imageDigest"] for result in results] == [pushed["a1"], pushed["b"], pushed[""]]


async def test_a_result_tells_all_of_the_image_and_the_rule(api: Api, pushed: dict[str, str], work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=TWO_RULES)
    await work()
    answer = await api.get_lifecycle_policy_preview(**NAME)
    archived = {"targetStorageClass": "ARCHIVE", "imageTotalCount": 2}
    assert answer["summary"] == {"expiringImageTotalCount": 1, "transitioningImageTotalCounts": [archived]}
    described = {each["imageDigest"]: each for each in (await api.describe_images(**NAME))["imageDetails"]}
    first, second, third = answer["previewResults"]
    assert first == {
        "imageTags": ["a1", "a2"],
        "imageDigest": pushed["a1"],
        "imagePushedAt": described[pushed["a1"]]["imagePushedAt"],
        "action": {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"},
        "appliedRulePriority": 1,
        "storageClass": "STANDARD",
    }
    assert second == {
        "imageDigest": pushed[""],
        "imagePushedAt": described[pushed[""]]["imagePushedAt"],
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": 2,
        "storageClass": "STANDARD",
    }
    assert third["imageDigest"] == pushed["a3"]
    assert "nextToken" not in answer


async def test_an_archived_image_expires_by_the_day_that_it_was_archived(
    api: Api, database: Database, pushed: dict[str, str], work: Work
) -> None:
    transitioned = {"countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}
    old = policy(rule(1, **transitioned, storageClass="archive"))
    await api.update_image_storage_class(**NAME, imageId={"imageTag": "b"}, targetStorageClass="ARCHIVE")
    for days, expiring in ((89, []), (91, [pushed["b"]])):
        moment = datetime.now(UTC) - timedelta(days=days)
        async with database.transaction() as connection:
            statement = text("UPDATE images SET archived_at = :moment WHERE digest = :digest")
            await connection.execute(statement, {"moment": moment, "digest": pushed["b"]})
        await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=old)
        await work()
        results = (await api.get_lifecycle_policy_preview(**NAME))["previewResults"]
        assert [result["imageDigest"] for result in results] == expiring
        assert all(result["storageClass"] == "ARCHIVE" for result in results)


async def test_results_are_chosen_by_tag_status_and_by_image(api: Api, pushed: dict[str, str], work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=TWO_RULES)
    await work()

    async def digests(**members: Any) -> list[str]:
        answer = await api.get_lifecycle_policy_preview(**NAME, **members)
        assert answer["summary"]["expiringImageTotalCount"] == 1, "the summary is that of the whole preview"
        return [result["imageDigest"] for result in answer["previewResults"]]

    assert await digests(filter={"tagStatus": "TAGGED"}) == [pushed["a1"], pushed["a3"]]
    assert await digests(filter={"tagStatus": "UNTAGGED"}) == [pushed[""]]
    assert await digests(filter={"tagStatus": "ANY"}) == [pushed["a1"], pushed[""], pushed["a3"]]
    assert await digests(imageIds=[{"imageTag": "a3"}, {"imageDigest": pushed[""]}]) == [pushed[""], pushed["a3"]]
    assert await digests(imageIds=[{"imageTag": "a2", "imageDigest": pushed["a1"]}]) == [pushed["a1"]]
    assert await digests(imageIds=[{"imageTag": "a3", "imageDigest": pushed["a1"]}]) == []
    assert await digests(imageIds=[{"imageTag": "b"}, {"imageTag": "no-such"}]) == []
    both = [{"imageTag": "a1"}, {"imageDigest": pushed[""]}]
    assert await digests(imageIds=both, filter={"tagStatus": "TAGGED"}) == [pushed["a1"]]


async def test_pages_of_a_filter_follow_each_other(api: Api, pushed: dict[str, str], work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=TWO_RULES)
    await work()
    for size in (1, 2, 3, 100):
        pages = await api.pages(
            "get_lifecycle_policy_preview",
            **NAME,
            filter={"tagStatus": "TAGGED"},
            PaginationConfig={"PageSize": size},
        )
        digests = [result["imageDigest"] for page in pages for result in page["previewResults"]]
        assert digests == [pushed["a1"], pushed["a3"]]
        assert len(pages) == -(-2 // size)
    token = (await api.get_lifecycle_policy_preview(**NAME, maxResults=1))["nextToken"]
    refusal = await api.refused("get_lifecycle_policy_preview", **NAME, nextToken=token, filter={"tagStatus": "TAGGED"})
    assert refusal.code == "InvalidParameterException"


async def test_the_policy_of_the_repository_is_previewed_where_none_is_given(
    api: Api, registry: Registry, pushed: dict[str, str], work: Work
) -> None:
    refusal = await api.refused("start_lifecycle_policy_preview", **NAME)
    assert (refusal.code, refusal.status) == ("LifecyclePolicyNotFoundException", 400)
    assert refusal.message == (
        "Lifecycle policy does not exist for the repository with name 'team/app' "
        f"in the registry with id '{registry.account}'"
    )
    put = await api.put_lifecycle_policy(**NAME, lifecyclePolicyText=KEEP_ONE)
    started = await api.start_lifecycle_policy_preview(**NAME)
    assert started == {**put, "status": "IN_PROGRESS"}
    await work()
    answer = await api.get_lifecycle_policy_preview(**NAME)
    assert (answer["status"], answer["summary"]["expiringImageTotalCount"]) == ("COMPLETE", 3)
    assert (await api.get_lifecycle_policy(**NAME))["lastEvaluatedAt"] == datetime.fromtimestamp(0, UTC)
    assert len((await api.list_images(**NAME))["imageIds"]) == 5, "a preview changes nothing"


async def test_one_preview_runs_at_a_time(api: Api, registry: Registry, pushed: dict[str, str], work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    answer = await api.get_lifecycle_policy_preview(**NAME)
    assert answer == {
        "registryId": registry.account,
        **NAME,
        "lifecyclePolicyText": KEEP_ONE,
        "status": "IN_PROGRESS",
        "previewResults": [],
    }
    refusal = await api.refused("start_lifecycle_policy_preview", **NAME, lifecyclePolicyText=TWO_RULES)
    assert (refusal.code, refusal.status) == ("LifecyclePolicyPreviewInProgressException", 400)
    assert refusal.message == (
        "Lifecycle policy preview is in progress for the repository with name 'team/app' "
        f"in the registry with id '{registry.account}'"
    )
    await work()
    assert (await api.get_lifecycle_policy_preview(**NAME))["summary"] == {"expiringImageTotalCount": 3}
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=TWO_RULES)
    await work()
    answer = await api.get_lifecycle_policy_preview(**NAME)
    assert answer["lifecyclePolicyText"] == TWO_RULES
    assert len(answer["previewResults"]) == 3


async def test_of_many_that_start_at_once_one_does(api: Api, work: Work) -> None:
    starting = (api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE) for _ in range(8))
    answers = await asyncio.gather(*starting, return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    codes = {answer.response["Error"]["Code"] for answer in answers if not isinstance(answer, dict)}
    assert codes == {"LifecyclePolicyPreviewInProgressException"}
    await work()
    assert (await api.get_lifecycle_policy_preview(**NAME))["status"] == "COMPLETE"


async def test_a_preview_of_an_empty_repository_finds_nothing(api: Api, work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    await work()
    answer = await api.get_lifecycle_policy_preview(**NAME)
    assert (answer["status"], answer["previewResults"]) == ("COMPLETE", [])
    assert answer["summary"] == {"expiringImageTotalCount": 0}


async def test_a_preview_expires_after_a_day(api: Api, database: Database, queue: App, pushed: Any, work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    await work()
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE lifecycle_previews SET finished_at = now() - interval '25 hours'"))
    for _ in ("before it is forgotten", "and after"):
        answer = await api.get_lifecycle_policy_preview(**NAME)
        assert (answer["status"], answer["previewResults"]) == ("EXPIRED", [])
        assert "summary" not in answer
        await queue.configure_task("expire_previews").defer_async(timestamp=0)
        await work()
    async with database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM lifecycle_preview_results")) == 0
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    await work()
    assert (await api.get_lifecycle_policy_preview(**NAME))["status"] == "COMPLETE"


async def test_what_is_not_there_is_said_to_be_missing(api: Api, registry: Registry) -> None:
    refusal = await api.refused("get_lifecycle_policy_preview", **NAME)
    assert (refusal.code, refusal.status) == ("LifecyclePolicyPreviewNotFoundException", 400)
    assert refusal.message == (
        "Lifecycle policy preview does not exist for the repository with name 'team/app' "
        f"in the registry with id '{registry.account}'"
    )
    for operation in ("get_lifecycle_policy_preview", "start_lifecycle_policy_preview"):
        refusal = await api.refused(operation, repositoryName="no/such")
        assert refusal.code == "RepositoryNotFoundException"


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        ("start_lifecycle_policy_preview", {"lifecyclePolicyText": "{}"}, "greater than or equal to 100"),
        ("start_lifecycle_policy_preview", {"lifecyclePolicyText": "x" * 100}, "Could not map policyString"),
        ("start_lifecycle_policy_preview", {"lifecyclePolicyText": policy(rule(1), rule(1))}, "Duplicate priority"),
        ("get_lifecycle_policy_preview", {"maxResults": 0}, "greater than or equal to 1"),
        ("get_lifecycle_policy_preview", {"maxResults": 101}, "less than or equal to 100"),
        ("get_lifecycle_policy_preview", {"nextToken": "forged"}, "Invalid pagination token"),
        ("get_lifecycle_policy_preview", {"imageIds": []}, "greater than or equal to 1"),
        ("get_lifecycle_policy_preview", {"imageIds": [{}]}, "both tag and digest cannot be null"),
        ("get_lifecycle_policy_preview", {"imageIds": [{"imageTag": "a"}], "maxResults": 1}, "maxResults can't be"),
        ("get_lifecycle_policy_preview", {"imageIds": [{"imageTag": "a"}], "nextToken": "t"}, "nextToken can't be"),
        ("get_lifecycle_policy_preview", {"filter": {"tagStatus": "NONE"}}, "enum value set"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    api: Api, operation: str, members: dict[str, Any], words: str
) -> None:
    refusal = await api.refused(operation, **NAME, **members)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert words in refusal.message


async def test_previews_go_with_their_repository(api: Api, database: Database, pushed: Any, work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    await work()
    await api.delete_repository(**NAME, force=True)
    await api.create_repository(**NAME)
    refusal = await api.refused("get_lifecycle_policy_preview", **NAME)
    assert refusal.code == "LifecyclePolicyPreviewNotFoundException"


async def test_a_preview_whose_repository_is_gone_is_let_go(api: Api, queue: App, work: Work) -> None:
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    await api.delete_repository(**NAME, force=True)
    await work()
    assert list(await queue.job_manager.list_jobs_async()) == []


async def test_the_number_of_statements(api: Api, plane: CountedPlane, pushed: dict[str, str], work: Work) -> None:
    with plane.counting() as statements:
        await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=KEEP_ONE)
    assert len(statements) == 3, "\n".join(statements)
    await work()
    for members, number in (
        ({}, 2),
        ({"maxResults": 1}, 2),
        ({"imageIds": [{"imageDigest": pushed["b"]}]}, 2),
        ({"imageIds": [{"imageTag": "b"}]}, 3),
    ):
        with plane.counting() as statements:
            await api.get_lifecycle_policy_preview(**NAME, **members)
        assert len(statements) == number, "\n".join(statements)
