"""Replication: the configuration of a registry, what became of an image under it, and backfills."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from berth.database.db import Database
from berth.names import Registry
from berth.schema import replication_backfills
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.pushing import push_image

NO_BACKFILL = "00000000-0000-4000-8000-000000000000"


def destination(number: int = 0, region: str = "us-west-2") -> dict[str, str]:
    return {"region": region, "registryId": f"{number:012}"}


def rule(*destinations: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"destinations": list(destinations), **more}


def prefixes(*texts: str) -> list[dict[str, str]]:
    return [{"filter": text, "filterType": "PREFIX_MATCH"} for text in texts]


async def put(api: Api, *rules: dict[str, Any]) -> dict[str, Any]:
    return await api.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


async def test_a_configuration_is_put_described_replaced_and_cleared(api: Api, registry: Registry) -> None:
    nothing = {"registryId": registry.account, "replicationConfiguration": {"rules": []}}
    assert await api.describe_registry() == nothing
    rules = [
        rule(destination(1), destination(2, "eu-west-1"), repositoryFilters=prefixes("prod", "team/")),
        rule(destination(3), deleteReplication={"enabled": False}),
        rule(deleteReplication={"enabled": True}),
    ]
    for put_rules in (rules, rules[:1]):
        expected = {"replicationConfiguration": {"rules": put_rules}}
        assert await put(api, *put_rules) == expected
        assert await api.describe_registry() == {"registryId": registry.account, **expected}
    await put(api)
    assert await api.describe_registry() == nothing


async def test_a_configuration_may_be_as_large_as_ecr_allows(api: Api) -> None:
    destinations = [destination(number) for number in range(25)]
    filters = prefixes(*(f"prefix{number}" for number in range(100)))
    rules = [rule(*destinations, repositoryFilters=filters)] + [rule(one) for one in destinations[1:]]
    await put(api, *rules)
    assert (await api.describe_registry())["replicationConfiguration"]["rules"] == rules


async def test_a_registry_does_not_replicate_to_itself(api: Api, registry: Registry) -> None:
    itself = {"region": registry.region, "registryId": registry.account}
    refusal = await api.refused("put_replication_configuration", replicationConfiguration={"rules": [rule(itself)]})
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert refusal.message == (
        "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: "
        "'Replication destination cannot be the same as the source registry'"
    )
    await put(api, rule({**itself, "region": "eu-west-1"}), rule(destination(1, registry.region)))


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([rule(destination())] * 26, "replicationConfiguration.rules"),
        ([rule(destination(), destination())], "must be unique within a rule"),
        ([rule(*(destination(number) for number in range(26)))], "must be less than or equal to 25"),
        ([rule(destination(1, "cn-north-1"))], "partition"),
        ([rule(destination(1, "mars"))], "is not a region"),
        ([rule({"region": "us-west-2", "registryId": "1"})], "registryId"),
        ([rule(destination(), repositoryFilters=[])], "repositoryFilters"),
        ([rule(destination(), repositoryFilters=prefixes(*["aa"] * 101))], "repositoryFilters"),
        ([rule(destination(), repositoryFilters=prefixes("a"))], "filter"),
        ([rule(destination(), repositoryFilters=[{"filter": "aa", "filterType": "WILDCARD"}])], "PREFIX_MATCH"),
        ([rule(destination(), deleteReplication={})], "deleteReplication.enabled"),
        ([{}], "destinations"),
    ],
)
async def test_rules_outside_ecrs_limits_are_refused(api: Api, rules: list[dict[str, Any]], words: str) -> None:
    refusal = await api.refused("put_replication_configuration", replicationConfiguration={"rules": rules})
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert words in refusal.message
    assert (await api.describe_registry())["replicationConfiguration"] == {"rules": []}


async def test_an_image_is_not_replicated_and_its_status_says_so(api: Api) -> None:
    for name in ("prod/app", "test/app"):
        await api.create_repository(repositoryName=name)
    before = await push_image(api, "prod/app", "old", seed="before")
    rules = [rule(destination(1), destination(2), repositoryFilters=prefixes("prod/")), rule(destination(1))]
    await put(api, *rules)
    failed = {"status": "FAILED", "failureCode": "ReplicationUnavailable"}
    for name, destinations in (("prod/app", [destination(1), destination(2)]), ("test/app", [destination(1)])):
        pushed = await push_image(api, name, "v1", seed=name)
        assert await api.describe_image_replication_status(repositoryName=name, imageId={"imageTag": "v1"}) == {
            "repositoryName": name,
            "imageId": {"imageDigest": pushed.digest, "imageTag": "v1"},
            "replicationStatuses": [{**one, **failed} for one in destinations],
        }
    # What was there before the rules is not replicated, also when the same rules are put again.
    await put(api, *rules)
    for image_id, number in (({"imageDigest": before.digest}, 0), ({"imageTag": "v1"}, 2)):
        status = await api.describe_image_replication_status(repositoryName="prod/app", imageId=image_id)
        assert len(status["replicationStatuses"]) == number


async def test_an_image_of_a_registry_without_rules_is_replicated_nowhere(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")
    pushed = await push_image(api, "team/app")
    image_id = {"imageDigest": pushed.digest}
    status = await api.describe_image_replication_status(repositoryName="team/app", imageId=image_id)
    assert status == {"repositoryName": "team/app", "imageId": image_id, "replicationStatuses": []}


async def test_the_status_of_no_image_is_refused(api: Api, registry: Registry) -> None:
    await api.create_repository(repositoryName="team/app")
    for name, image_id, code in (
        ("no/such", {"imageTag": "v1"}, "RepositoryNotFoundException"),
        ("team/app", {"imageTag": "v1"}, "ImageNotFoundException"),
        ("team/app", {"imageDigest": "sha256:" + "0" * 64}, "ImageNotFoundException"),
        ("team/app", {}, "InvalidParameterException"),
        ("team/app", {"imageTag": "-"}, "InvalidParameterException"),
    ):
        refusal = await api.refused("describe_image_replication_status", repositoryName=name, imageId=image_id)
        assert (refusal.code, refusal.status) == (code, 400)
    refusal = await api.refused(
        "describe_image_replication_status", repositoryName="team/app", imageId={"imageTag": "v1"}
    )
    assert refusal.message == (
        "The image with imageId {imageDigest:'null', imageTag:'v1'} does not exist within the repository "
        f"with name 'team/app' in the registry with id '{registry.account}'"
    )


async def test_a_backfill_is_started_described_and_stopped(api: Api, registry: Registry) -> None:
    await put(api, rule(destination(1)))
    started = await api.start_replication_backfill(destination=destination(1))
    backfill = {key: started[key] for key in ("replicationBackfillId", "destination", "status", "startedAt")}
    assert started == {"registryId": registry.account, **backfill}
    assert (started["destination"], started["status"]) == (destination(1), "PREPARING")
    assert abs(datetime.now(UTC) - started["startedAt"]) < timedelta(minutes=1)
    this = {"replicationBackfillId": started["replicationBackfillId"]}
    assert await api.describe_replication_backfill_results(**this) == {**started, "results": []}
    listed = {"registryId": registry.account, "backfills": [backfill]}
    assert await api.list_replication_backfills() == listed
    assert await api.stop_replication_backfill(**this) == {**started, "status": "STOPPED"}
    described = await api.describe_replication_backfill_results(**this)
    ended_at = described.pop("endedAt")
    assert started["startedAt"] <= ended_at
    assert described == {**started, "status": "STOPPED", "results": []}
    (summary,) = (await api.list_replication_backfills())["backfills"]
    assert summary == {**backfill, "status": "STOPPED", "endedAt": ended_at}


async def test_a_backfill_needs_a_configured_destination(api: Api) -> None:
    for _ in range(2):
        refusal = await api.refused("start_replication_backfill", destination=destination(1))
        assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
        assert refusal.message == (
            "Invalid parameter at 'destination' failed to satisfy constraint: "
            "'The destination must be in the replication configuration'"
        )
        await put(api, rule(destination(2)), rule(destination(1, "eu-west-1")))


async def test_a_region_has_one_backfill_in_progress(api: Api, registry: Registry) -> None:
    await put(api, rule(destination(1), destination(2), destination(1, "eu-west-1")))
    outcomes = await asyncio.gather(
        *(api.start_replication_backfill(destination=destination(1 + number % 2)) for number in range(4)),
        return_exceptions=True,
    )
    (started,) = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    refusal = await api.refused("start_replication_backfill", destination=destination(2))
    assert (refusal.code, refusal.status) == ("ReplicationBackfillInProgressException", 400)
    assert refusal.message == (
        "A replication backfill is already in progress for the destination region 'us-west-2' "
        f"in the registry with id '{registry.account}'"
    )
    await api.start_replication_backfill(destination=destination(1, "eu-west-1"))
    await api.stop_replication_backfill(replicationBackfillId=started["replicationBackfillId"])
    await api.start_replication_backfill(destination=destination(2))


async def test_a_registry_has_ten_backfills_in_progress_at_most(api: Api) -> None:
    destinations = [destination(1, f"us-west-{number}") for number in range(1, 12)]
    await put(api, rule(*destinations))
    for one in destinations[:10]:
        await api.start_replication_backfill(destination=one)
    refusal = await api.refused("start_replication_backfill", destination=destinations[10])
    assert (refusal.code, refusal.status) == ("LimitExceededException", 400)


async def test_a_backfill_that_has_ended_or_never_was_cannot_be_stopped(api: Api, registry: Registry) -> None:
    await put(api, rule(destination(1)))
    this = {
        "replicationBackfillId": (await api.start_replication_backfill(destination=destination(1)))[
            "replicationBackfillId"
        ]
    }
    await api.stop_replication_backfill(**this)
    refusal = await api.refused("stop_replication_backfill", **this)
    assert (refusal.code, refusal.status) == ("ReplicationBackfillInvalidStatusException", 400)
    assert "is in the status 'STOPPED'" in refusal.message
    for operation in ("stop_replication_backfill", "describe_replication_backfill_results"):
        refusal = await api.refused(operation, replicationBackfillId=NO_BACKFILL)
        assert (refusal.code, refusal.status) == ("ReplicationBackfillNotFoundException", 400)
        assert refusal.message == (
            f"The replication backfill with id '{NO_BACKFILL}' does not exist "
            f"in the registry with id '{registry.account}'"
        )
        refusal = await api.refused(operation, replicationBackfillId="1")
        assert refusal.code == "InvalidParameterException"


async def test_backfills_are_listed_newest_first_page_by_page(api: Api) -> None:
    await put(api, rule(destination(1)))
    expected = []
    for _ in range(7):
        started = await api.start_replication_backfill(destination=destination(1))
        expected.insert(0, started["replicationBackfillId"])
        await api.stop_replication_backfill(replicationBackfillId=expected[0])
    for size in (1, 3, 7, 50):
        pages = await api.pages("list_replication_backfills", PaginationConfig={"PageSize": size})
        assert [one["replicationBackfillId"] for page in pages for one in page["backfills"]] == expected
        assert len(pages) == -(-7 // size)
    for members in ({"maxResults": 0}, {"maxResults": 51}, {"nextToken": "made up"}):
        assert (await api.refused("list_replication_backfills", **members)).code == "InvalidParameterException"
    this = {"replicationBackfillId": expected[0]}
    (page,) = await api.pages("describe_replication_backfill_results", **this, resultStatusFilter="FAILED")
    assert page["results"] == []
    for members in ({"maxResults": 1001}, {"nextToken": "made up"}, {"resultStatusFilter": "STOPPED"}):
        refusal = await api.refused("describe_replication_backfill_results", **this, **members)
        assert refusal.code == "InvalidParameterException"


async def test_a_backfill_is_forgotten_90_days_after_its_end(api: Api, database: Database, registry: Registry) -> None:
    await put(api, rule(destination(1)))
    table = replication_backfills.c
    mine = (table.account == registry.account) & (table.region == registry.region)
    for days in (89, 91):
        started = await api.start_replication_backfill(destination=destination(1))
        await api.stop_replication_backfill(replicationBackfillId=started["replicationBackfillId"])
        ended = func.now() - timedelta(days=days)
        async with database.transaction() as connection:
            await connection.execute(
                update(replication_backfills)
                .where(table.id == started["replicationBackfillId"])
                .values(ended_at=ended, started_at=ended)
            )
    forgotten = {"replicationBackfillId": started["replicationBackfillId"]}
    assert len((await api.list_replication_backfills())["backfills"]) == 1
    for operation in ("stop_replication_backfill", "describe_replication_backfill_results"):
        assert (await api.refused(operation, **forgotten)).code == "ReplicationBackfillNotFoundException"
    await api.start_replication_backfill(destination=destination(1))
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).where(mine)) == 2


async def test_a_registry_of_another_account_is_nobody_elses(api: Api, registry: Registry, database: Database) -> None:
    other = "999999999999" if registry.account != "999999999999" else "888888888888"
    async with database.transaction() as connection:
        row = {"account": other, "region": registry.region, "status": "PREPARING", "id": NO_BACKFILL}
        await connection.execute(
            insert(replication_backfills).values(**row, destination_account=other, destination_region="eu-west-1")
        )
    for operation, members in (
        ("list_replication_backfills", {}),
        ("describe_replication_backfill_results", {"replicationBackfillId": NO_BACKFILL}),
        ("stop_replication_backfill", {"replicationBackfillId": NO_BACKFILL}),
        ("start_replication_backfill", {"destination": destination(1)}),
    ):
        refusal = await api.refused(operation, registryId=other, **members)
        assert (refusal.code, refusal.status) == ("AccessDeniedException", 400)
    refusal = await api.refused("describe_replication_backfill_results", replicationBackfillId=NO_BACKFILL)
    assert refusal.code == "ReplicationBackfillNotFoundException"


async def test_the_statements_of_each_operation(api: Api, plane: CountedPlane) -> None:
    await api.create_repository(repositoryName="team/app")
    await push_image(api, "team/app", "v1")
    configuration = {"replicationConfiguration": {"rules": [rule(destination(1))]}}
    image = {"repositoryName": "team/app", "imageId": {"imageTag": "v1"}}
    this: dict[str, Any] = {}
    for operation, members, number in (
        ("put_replication_configuration", configuration, 1),
        ("describe_registry", {}, 1),
        ("describe_image_replication_status", image, 2),
        ("start_replication_backfill", {"destination": destination(1)}, 4),
        ("list_replication_backfills", {}, 1),
        ("describe_replication_backfill_results", this, 1),
        ("stop_replication_backfill", this, 1),
    ):
        await api.describe_registry()  # What is written on the registry is known from now on.
        with plane.counting() as statements:
            answer = await getattr(api, operation)(**members)
        assert len(statements) == number, "\n".join(statements)
        if "replicationBackfillId" in answer:
            this["replicationBackfillId"] = answer["replicationBackfillId"]
