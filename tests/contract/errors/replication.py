"""Replication backfills."""

import uuid

from tests.contract.errors.stage import Members, Stage, provokes


def destination(number: int = 0) -> Members:
    return {"region": f"us-west-{number}", "registryId": "123456789012"}


async def started(stage: Stage, number: int = 1) -> str:
    """As many backfills as `number`; the id of the last."""
    rules = [{"destinations": [destination(one) for one in range(number + 1)]}]
    await stage.api.put_replication_configuration(replicationConfiguration={"rules": rules})
    for one in range(number):
        last = await stage.api.start_replication_backfill(destination=destination(one))
    return str(last["replicationBackfillId"])


@provokes("ReplicationBackfillInProgressException", "StartReplicationBackfill")
async def to_one_region_twice(stage: Stage) -> Members:
    await started(stage)
    return {"destination": destination()}


@provokes("LimitExceededException", "StartReplicationBackfill")
async def one_backfill_too_many(stage: Stage) -> Members:
    await started(stage, 10)
    return {"destination": destination(10)}


@provokes("ReplicationBackfillNotFoundException", "StopReplicationBackfill", "DescribeReplicationBackfillResults")
async def of_no_backfill(_stage: Stage) -> Members:
    return {"replicationBackfillId": str(uuid.uuid4())}


@provokes("ReplicationBackfillInvalidStatusException", "StopReplicationBackfill")
async def stopped_twice(stage: Stage) -> Members:
    backfill = {"replicationBackfillId": await started(stage)}
    await stage.api.stop_replication_backfill(**backfill)
    return backfill
