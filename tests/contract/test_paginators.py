"""Every paginator and every waiter that botocore has for ECR, used for real."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.contract import model
from tests.contract.test_answers import NAME, THERE, lifecycle
from tests.integration.conftest import Work
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import push_image

Members = dict[str, Any]
NUMBER = 5
SETTINGS = {"Delay": 1, "MaxAttempts": 20}


@dataclass(frozen=True)
class Stage:
    api: Api
    work: Work


async def some_repositories(stage: Stage) -> Members:
    for number in range(NUMBER):
        await stage.api.create_repository(repositoryName=f"team/r{number}")
    return {}


async def some_images(stage: Stage) -> Members:
    await stage.api.create_repository(**NAME)
    for number in range(NUMBER):
        await push_image(stage.api, "team/app", f"v{number}", seed=str(number))
    return NAME


async def a_preview(stage: Stage) -> Members:
    """Of which all images but one are results."""
    await some_images(stage)
    await push_image(stage.api, "team/app", "newest", seed="newest")
    text = lifecycle(("tagged", {"type": "expire"}))
    await stage.api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=text)
    await stage.work()
    return NAME


async def some_rules(stage: Stage) -> Members:
    for number in range(NUMBER):
        await stage.api.create_pull_through_cache_rule(
            ecrRepositoryPrefix=f"cached-{number}", upstreamRegistryUrl="public.ecr.aws"
        )
    return {}


async def some_templates(stage: Stage) -> Members:
    for number in range(NUMBER):
        await stage.api.create_repository_creation_template(prefix=f"team-{number}", appliedFor=["CREATE_ON_PUSH"])
    return {}


async def some_backfills(stage: Stage) -> Members:
    await stage.api.put_replication_configuration(replicationConfiguration={"rules": [{"destinations": [THERE]}]})
    for _ in range(NUMBER):
        started = await stage.api.start_replication_backfill(destination=THERE)
        await stage.api.stop_replication_backfill(replicationBackfillId=started["replicationBackfillId"])
    return {}


async def a_backfill_without_results(stage: Stage) -> Members:
    await some_backfills(stage)
    backfills = (await stage.api.list_replication_backfills(maxResults=1))["backfills"]
    return {"replicationBackfillId": backfills[0]["replicationBackfillId"]}


# What each paginator is to page through, and how many there are.
LISTINGS: dict[str, tuple[Callable[[Stage], Awaitable[Members]], int]] = {
    "DescribeImages": (some_images, NUMBER),
    "DescribePullThroughCacheRules": (some_rules, NUMBER),
    "DescribeReplicationBackfillResults": (a_backfill_without_results, 0),
    "DescribeRepositories": (some_repositories, NUMBER),
    "DescribeRepositoryCreationTemplates": (some_templates, NUMBER),
    "GetLifecyclePolicyPreview": (a_preview, NUMBER),
    "ListImages": (some_images, NUMBER),
    "ListReplicationBackfills": (some_backfills, NUMBER),
}
# No image has findings: there is nothing to page through.
WITHOUT_PAGES = {"DescribeImageScanFindings"}


@pytest.fixture
def stage(api: Api, work: Work) -> Stage:
    return Stage(api, work)


def test_every_paginator_and_every_waiter_is_known() -> None:
    assert model.PAGINATORS.keys() == LISTINGS.keys() | WITHOUT_PAGES
    assert set(model.WAITERS) == {"ImageScanComplete", "LifecyclePolicyPreviewComplete"}


@pytest.mark.parametrize("name", sorted(LISTINGS))
async def test_a_paginator_gets_everything_once_whatever_the_size_of_a_page(stage: Stage, name: str) -> None:
    prepare, number = LISTINGS[name]
    members = await prepare(stage)
    operation, key = model.method_name(name), model.PAGINATORS[name]["result_key"]
    whole = (await getattr(stage.api, operation)(**members))[key]
    assert len(whole) == number
    for size in (1, 2, NUMBER, NUMBER + 1):
        pages = await stage.api.pages(operation, **members, PaginationConfig={"PageSize": size})
        assert [item for page in pages for item in page[key]] == whole
        assert len(pages) == max(-(-number // size), 1)
        assert all(("nextToken" in page) == (page is not pages[-1]) for page in pages)
    some = await stage.api.pages(operation, **members, PaginationConfig={"PageSize": 2, "MaxItems": 3})
    assert [item for page in some for item in page[key]] == whole[:3]


async def test_the_paginator_of_findings_says_that_there_is_no_scan(stage: Stage) -> None:
    await some_images(stage)
    with pytest.raises(ClientError) as caught:
        await stage.api.pages("describe_image_scan_findings", **NAME, imageId={"imageTag": "v1"})
    assert caught.value.response["Error"]["Code"] == "ScanNotFoundException"


async def test_the_waiter_for_a_preview_waits_until_it_is_complete(stage: Stage) -> None:
    await some_images(stage)
    text = lifecycle(("tagged", {"type": "expire"}))
    await stage.api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=text)
    waiter = stage.api.client.get_waiter("lifecycle_policy_preview_complete")
    waiting = asyncio.create_task(asyncio.to_thread(waiter.wait, **NAME, WaiterConfig=SETTINGS))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await stage.work()
    await waiting
    assert (await stage.api.get_lifecycle_policy_preview(**NAME))["status"] == "COMPLETE"


async def test_the_waiter_for_a_scan_ends_at_once_for_there_is_none(stage: Stage) -> None:
    """Nothing is scanned, so that waiting would be in vain: the error says so at the first question."""
    await some_images(stage)
    waiter = stage.api.client.get_waiter("image_scan_complete")
    with pytest.raises(WaiterError, match="ScanNotFoundException") as caught:
        await asyncio.to_thread(waiter.wait, **NAME, imageId={"imageTag": "v1"}, WaiterConfig=SETTINGS)
    assert caught.value.last_response["Error"]["Code"] == "ScanNotFoundException"
