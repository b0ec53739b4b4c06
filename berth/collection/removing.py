"""Bytes that bear a collection's mark leave the store, and then their rows go (ADR 14)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Text, bindparam, delete, func, select, update

from berth.collection.rows import ARE_MARKED, BytesKey, of_marked
from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question
from berth.names import Digest, Registry
from berth.schema import layers
from berth.schema.tables import Moment
from berth.store.contract import Blob, RemovalUnsettled, Store, StoreUnavailable
from berth.tasks import at_its_end

log = structlog.get_logger()

# From a mark on, a removal is begun within this or not at all: far less than any store's `settles_after` but zero.
BEGINS_WITHIN = timedelta(minutes=2)
# Who pushes any of the bytes that share a lock of the store waits meanwhile.
CONFIRM_SECONDS = 5

# Not where a push that does not heed the mark (layers.linking) holds the row: then it is the push's.
_IS_MARKED = Question(
    select(layers.c.digest)
    .where(
        layers.c.account == bindparam("account", type_=Text),
        layers.c.region == bindparam("region", type_=Text),
        layers.c.digest == bindparam("digest", type_=Text),
        layers.c.removing_since == bindparam("mark", type_=Moment),
        layers.c.removing_since > func.clock_timestamp() - BEGINS_WITHIN,
    )
    .with_for_update(read=True, skip_locked=True)
)
# Not where somebody met the mark meanwhile (layers.linking), and may have given the bytes their name again.
_FORGET = (
    delete(layers)
    .where(ARE_MARKED, layers.c.unused_since < layers.c.removing_since)
    .returning(layers.c.account, layers.c.region, layers.c.digest)
)
_UNMARK = update(layers).where(ARE_MARKED).values(removing_since=None)


@dataclass(frozen=True, slots=True)
class Marked:
    """Bytes that are to go; `size` as their row has it: 0 where they were only noted (layers.intend)."""

    key: BytesKey
    size: int
    mark: datetime


class _MarkLost(Exception):
    """The bytes are not, or no longer, this collection's to remove."""


@dataclass(slots=True)
class _Outcome:
    # Each with its size, or None where the store did not have it.
    removed: dict[BytesKey, int | None] = field(default_factory=dict)
    # They stay until a later collection, as the store says.
    left: dict[BytesKey, datetime] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)


async def remove(database: Database, store: Store, marked: Sequence[Marked]) -> list[int]:
    """The sizes of what was removed. Raises StoreUnavailable where that is nothing; what alone cannot go is left.

    Where this is cancelled, it comes to its end first: what it left marked could not be pushed for a while.
    """
    return await at_its_end(asyncio.create_task(_remove(database, store, marked)))


async def _remove(database: Database, store: Store, marked: Sequence[Marked]) -> list[int]:
    outcome = _Outcome()
    async with asyncio.TaskGroup() as group:
        for one in marked:
            group.create_task(_try(database, store, one, outcome))
    await _settle(database, {one.key: one.mark for one in marked}, outcome)
    for error in outcome.failures:
        if len(outcome.failures) == len(marked) or not isinstance(error, StoreUnavailable):
            raise error
    return [size for size in outcome.removed.values() if size is not None]


async def _try(database: Database, store: Store, one: Marked, outcome: _Outcome) -> None:
    try:
        outcome.removed[one.key] = await _remove_one(database, store, one)
    except _MarkLost:
        # Nothing is on its way. Where the mark is there still, a push just met it, or it is too old for a removal to
        # begin: it would keep pushes off for as long as a removal of which nobody knows what came. Where it keeps
        # nobody off, another collection may have the row by now, which would find it locked.
        if store.settles_after:
            outcome.left[one.key] = one.mark
    except Exception as error:
        outcome.failures.append(error)
        if not isinstance(error, RemovalUnsettled):
            outcome.left[one.key] = one.mark
        log.warning(
            "the bytes of a layer could not be removed; a later collection tries again",
            digest=one.key[2],
            reason=str(error),
        )


async def _remove_one(database: Database, store: Store, one: Marked) -> int | None:
    account, region, digest = one.key

    async def confirm() -> None:
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                mine = await database.ask(_IS_MARKED, account=account, region=region, digest=digest, mark=one.mark)
        except TimeoutError as error:
            raise DatabaseUnavailable("the connection is silent") from error
        if not mine:
            raise _MarkLost

    blob = Blob(Registry(account, region), Digest(digest))
    size = one.size or await store.size(blob)
    await store.remove(blob, confirm)
    return size


async def _settle(database: Database, marks: dict[BytesKey, datetime], outcome: _Outcome) -> None:
    """Let the rows of what is gone go; of what is not known to stay or to be gone, the mark stays.

    What others marked since, or a push took, is theirs.
    """
    removed = {key: marks[key] for key in outcome.removed}
    async with database.transaction() as connection:
        gone = {tuple(row) for row in await connection.execute(_FORGET, of_marked(removed))}
        await connection.execute(_UNMARK, of_marked(removed | outcome.left))
    outcome.removed = {key: size for key, size in outcome.removed.items() if key in gone}
