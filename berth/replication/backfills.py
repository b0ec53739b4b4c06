"""Replication backfills: orders to copy to a destination what was there before the rules were.

A backfill stays in PREPARING, without progress and without results, until it is stopped: nothing in Berth prepares one.
ECR user guide, "Replication backfill".
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import registries as rows
from berth.database.db import Database
from berth.errors import (
    InvalidParameter,
    LimitExceeded,
    ReplicationBackfillInProgress,
    ReplicationBackfillInvalidStatus,
    ReplicationBackfillNotFound,
)
from berth.names import Registry
from berth.replication import rules
from berth.replication.rules import Rule
from berth.schema import registries, replication_backfills

# ECR API reference, "StartReplicationBackfill" and "ListReplicationBackfills".
MAX_IN_PROGRESS = 10
KEPT = timedelta(days=90)


class Status(StrEnum):
    """ECR API reference, "ReplicationBackfillSummary", `status`."""

    PREPARING = "PREPARING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Backfill:
    id: uuid.UUID
    destination: Registry
    status: Status
    started_at: datetime
    ended_at: datetime | None


_table = replication_backfills.c
_COLUMNS = (
    _table.id,
    _table.destination_account,
    _table.destination_region,
    _table.status,
    _table.started_at,
    _table.ended_at,
)


async def start(database: Database, registry: Registry, destination: Registry) -> Backfill:
    """Raises InvalidParameter where no rule has this destination, ReplicationBackfillInProgress, LimitExceeded."""
    row = {
        "id": uuid.uuid4(),
        "account": registry.account,
        "region": registry.region,
        "destination_account": destination.account,
        "destination_region": destination.region,
        "status": Status.PREPARING,
    }
    async with database.transaction() as connection:
        # Locked, so that of two backfills to one region that start at once the second sees the first.
        held = select(registries.c.replication_rules).where(rows.row_of(registry)).with_for_update()
        configured = [Rule.of(member) for member in await connection.scalar(held) or ()]
        if destination not in rules.destinations(configured):
            raise InvalidParameter("destination", "The destination must be in the replication configuration")
        await _check_others(connection, registry, destination)
        started = await connection.execute(insert(replication_backfills).values(row).returning(*_COLUMNS))
        backfill = _backfill(started.one())
        await connection.execute(delete(replication_backfills).where(_of(registry), ~_is_kept()))
    return backfill


async def _check_others(connection: AsyncConnection, registry: Registry, destination: Registry) -> None:
    in_progress = select(_table.destination_region).where(_of(registry), _table.ended_at.is_(None))
    regions = set(await connection.scalars(in_progress))
    if destination.region in regions:
        raise ReplicationBackfillInProgress(registry, destination.region)
    if len(regions) >= MAX_IN_PROGRESS:
        raise LimitExceeded(
            "The number of replication backfills in progress is over the limit. "
            f"The maximum number of replication backfills in progress in a registry is {MAX_IN_PROGRESS}."
        )


async def stop(database: Database, registry: Registry, backfill_id: uuid.UUID) -> Backfill:
    """Raises ReplicationBackfillNotFound, and ReplicationBackfillInvalidStatus for one that has ended."""
    running = and_(_of(registry), _table.id == backfill_id, _table.ended_at.is_(None))
    stopped = update(replication_backfills).where(running).values(status=Status.STOPPED, ended_at=func.now())
    async with database.transaction() as connection:
        row = (await connection.execute(stopped.returning(*_COLUMNS))).one_or_none()
    if row is None:
        raise ReplicationBackfillInvalidStatus(backfill_id, (await get(database, registry, backfill_id)).status)
    return _backfill(row)


async def get(database: Database, registry: Registry, backfill_id: uuid.UUID) -> Backfill:
    """Raises ReplicationBackfillNotFound, also for one that ended 90 days ago."""
    question = select(*_COLUMNS).where(_of(registry), _table.id == backfill_id, _is_kept())
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise ReplicationBackfillNotFound(registry, backfill_id)
    return _backfill(row)


async def page(
    database: Database, registry: Registry, *, before: tuple[datetime, uuid.UUID] | None, limit: int
) -> Sequence[Backfill]:
    """At most `limit` backfills, the newest first, that started (and have ids) before `before`."""
    question = select(*_COLUMNS).where(_of(registry), _is_kept())
    if before is not None:
        question = question.where(tuple_(_table.started_at, _table.id) < before)
    question = question.order_by(_table.started_at.desc(), _table.id.desc()).limit(limit)
    async with database.reading() as connection:
        return [_backfill(row) for row in await connection.execute(question)]


def _of(registry: Registry) -> ColumnElement[bool]:
    return and_(_table.account == registry.account, _table.region == registry.region)


def _is_kept() -> ColumnElement[bool]:
    return or_(_table.ended_at.is_(None), _table.ended_at > func.now() - KEPT)


def _backfill(row: Row[*tuple[Any, ...]]) -> Backfill:
    destination = Registry(row.destination_account, row.destination_region)
    return Backfill(row.id, destination, Status(row.status), row.started_at, row.ended_at)
