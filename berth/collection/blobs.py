"""Bytes that no repository holds and no deleted image names: they leave the store."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.collection.needs import are_needed
from berth.collection.rows import ARE_SOME_BYTES, EPOCH, BytesKey, of_bytes, some_bytes
from berth.db import Database, DatabaseUnavailable
from berth.names import Digest, Registry
from berth.schema import layers
from berth.store.contract import Blob, Confirm, Store, StoreUnavailable

log = structlog.get_logger()

# Few: a push of one of these waits until the store has removed them all.
AT_ONCE = 32
# Who pushes any of the bytes that share a lock of the store waits meanwhile.
CONFIRM_SECONDS = 5

_ORDER = (layers.c.unused_since, layers.c.account, layers.c.region, layers.c.digest)
# Locked, so that nobody gives them their name or links to them from here on (layers.linking). Who links to what is
# linked already (layers.mount) holds on to that link meanwhile, so that the next question finds it.
_UNUSED = (
    select(*_ORDER, layers.c.size)
    .where(layers.c.unused_since < bindparam("before"))
    .where(
        tuple_(*_ORDER) > tuple_(bindparam("moment"), bindparam("account"), bindparam("region"), bindparam("digest"))
    )
    .order_by(*_ORDER)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)


_NEEDED = select(some_bytes.c.account, some_bytes.c.region, some_bytes.c.digest).where(are_needed(some_bytes))
_FORGET_MOMENT = update(layers).where(ARE_SOME_BYTES).values(unused_since=None)
_FORGET = delete(layers).where(ARE_SOME_BYTES)

Place = tuple[datetime, str, str, str]
START: Place = (EPOCH, "", "", "")


@dataclass(frozen=True, slots=True)
class Batch:
    """How many blobs went and how many bytes they had, and where to go on; None at the end."""

    removed: int
    bytes: int
    last: Place | None


async def now(database: Database) -> datetime:
    """The moment up to which a collection looks at what is marked, so that it and who pushes meanwhile both get on."""
    async with database.reading() as connection:
        return (await connection.scalars(select(func.now()))).one()


async def remove_some(database: Database, store: Store, before: datetime, after: Place = START) -> Batch:
    """Look at the next bytes that may be unused since `before`. Those that somebody is just linking to are left."""
    moment, account, region, digest = after
    place = {"before": before, "moment": moment, "account": account, "region": region, "digest": digest}
    async with database.transaction() as connection:
        rows = (await connection.execute(_UNUSED, place)).all()
        if not rows:
            return Batch(0, 0, None)
        found = {_key(row): row for row in rows}
        # Only now that they are locked: a statement sees what was committed before it began.
        needed = {_key(row) for row in await connection.execute(_NEEDED, of_bytes(list(found)))}
        await connection.execute(_FORGET_MOMENT, of_bytes(list(needed)))
        unused = {key: row.size for key, row in found.items() if key not in needed}
        sizes = await _remove(store, unused, _confirming(connection))
        await _forget(connection, [*sizes])
    there = [size for size in sizes.values() if size is not None]
    return Batch(len(there), sum(there), (rows[-1].unused_since, *_key(rows[-1])))


async def _forget(connection: AsyncConnection, removed: list[BytesKey]) -> None:
    if removed:
        await connection.execute(_FORGET, of_bytes(removed))


def _confirming(connection: AsyncConnection) -> Confirm:
    """Asks whether the transaction, and with it what it has locked, is still there. Raises DatabaseUnavailable."""
    alone = asyncio.Lock()

    async def confirm() -> None:
        async with alone:
            if connection.invalidated:
                raise DatabaseUnavailable("the connection is lost")
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    await connection.execute(select(1))
            except TimeoutError as error:
                # Else the rollback would wait for the same silence.
                await connection.invalidate()
                raise DatabaseUnavailable("the connection is silent") from error

    return confirm


async def _remove(store: Store, unused: dict[BytesKey, int], confirm: Confirm) -> dict[BytesKey, int | None]:
    """What was removed, each with its size, or None where the store did not have it. Raises StoreUnavailable.

    What alone cannot be removed is left.
    """
    removing = [asyncio.create_task(_remove_one(store, key, size, confirm)) for key, size in unused.items()]
    # Also where this is cancelled: with the transaction ends the right to remove anything.
    cancelled = await _settle(removing)
    if cancelled is not None:
        raise cancelled
    failures = {key: error for key, task in zip(unused, removing, strict=True) if (error := task.exception())}
    for error in failures.values():
        if len(failures) == len(unused) or not isinstance(error, StoreUnavailable):
            raise error
    for key, error in failures.items():
        log.warning(
            "the bytes of a layer could not be removed; the next collection tries again",
            digest=key[2],
            reason=str(error),
        )
    return {key: task.result() for key, task in zip(unused, removing, strict=True) if key not in failures}


async def _settle(tasks: list[asyncio.Task[int | None]]) -> asyncio.CancelledError | None:
    """Wait until all are done; if this was cancelled meanwhile, the cancellation."""
    cancelled = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _remove_one(store: Store, key: BytesKey, size: int, confirm: Confirm) -> int | None:
    account, region, digest = key
    blob = Blob(Registry(account, region), Digest(digest))
    # Of what was only noted (layers.intend), the row does not know the size.
    actual = size or await store.size(blob)
    await store.remove(blob, confirm)
    return actual


def _key(row: Any) -> BytesKey:
    return (row.account, row.region, row.digest)
