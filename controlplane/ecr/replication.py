"""Replication (ECR API reference, "PutReplicationConfiguration", "StartReplicationBackfill")."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from berth.images import pushed
from berth.replication import backfills, configuration, rules
from berth.replication.backfills import Backfill
from berth.replication.rules import Rule
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import ImageId, shown
from controlplane.wire.model import Members

DEFAULT_PAGE = 25
# Berth copies nothing: of each copy that the rules ask for it can only say that there is none.
NOT_REPLICATED = {"status": "FAILED", "failureCode": "ReplicationUnavailable"}


@operation("DescribeRegistry")
async def describe_registry(call: Call, _request: Members) -> Members:
    found = await configuration.get(call.database, call.registry)
    return {"registryId": call.registry.account, "replicationConfiguration": _shown(found.rules)}


@operation("PutReplicationConfiguration")
async def put_replication_configuration(call: Call, request: Members) -> Members:
    put = await configuration.put(call.database, call.registry, request["replicationConfiguration"]["rules"])
    return {"replicationConfiguration": _shown(put)}


@operation("DescribeImageReplicationStatus")
async def describe_image_replication_status(call: Call, request: Members) -> Members:
    image_id = ImageId.required(request["imageId"])
    name = request["repositoryName"]
    image = await pushed.find(call.database, call.registry, name, image_id.digest, image_id.tag)
    owed = configuration.owed(await configuration.get(call.database, call.registry), image)
    return {
        "repositoryName": name,
        "imageId": shown(image.digest, image_id.tag),
        "replicationStatuses": [{**rules.destination_member(one), **NOT_REPLICATED} for one in owed],
    }


@operation("StartReplicationBackfill")
async def start_replication_backfill(call: Call, request: Members) -> Members:
    destination = rules.destination(request["destination"])
    return _backfill(call, await backfills.start(call.database, call.registry, destination))


@operation("StopReplicationBackfill")
async def stop_replication_backfill(call: Call, request: Members) -> Members:
    backfill_id = uuid.UUID(request["replicationBackfillId"])
    return _backfill(call, await backfills.stop(call.database, call.registry, backfill_id))


@operation("ListReplicationBackfills")
async def list_replication_backfills(call: Call, request: Members) -> Members:
    pages = call.pages(request)
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken"))
    before = (datetime.fromisoformat(after[0]), uuid.UUID(after[1])) if after else None
    found = await backfills.page(call.database, call.registry, before=before, limit=limit + 1)
    listed = found[:limit]
    more = len(found) > limit
    return {
        "registryId": call.registry.account,
        "backfills": [{**_members(one), "endedAt": one.ended_at} for one in listed],
        "nextToken": pages.token([listed[-1].started_at.isoformat(), str(listed[-1].id)]) if more else None,
    }


@operation("DescribeReplicationBackfillResults")
async def describe_replication_backfill_results(call: Call, request: Members) -> Members:
    """A backfill has no results: none ever comes to copy an image."""
    pages = call.pages(request, "replicationBackfillId", "resultStatusFilter")
    pages.after(request.get("nextToken"))
    backfill_id = uuid.UUID(request["replicationBackfillId"])
    found = await backfills.get(call.database, call.registry, backfill_id)
    return {**_backfill(call, found), "endedAt": found.ended_at, "results": []}


def _shown(given: Iterable[Rule]) -> Members:
    return {"rules": [rule.member() for rule in given]}


def _backfill(call: Call, backfill: Backfill) -> Members:
    return {"registryId": call.registry.account, **_members(backfill)}


def _members(backfill: Backfill) -> Members:
    """What all answers that tell of a backfill have in common."""
    return {
        "replicationBackfillId": str(backfill.id),
        "destination": rules.destination_member(backfill.destination),
        "status": backfill.status,
        "startedAt": backfill.started_at,
    }
