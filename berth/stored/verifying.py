"""Every blob that the tables name, read and hashed; and what the store has that they do not name."""

import asyncio
import enum
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from berth.database.db import Database
from berth.repositories import Repository
from berth.store.contract import Blob, BlobLost, BlobUnreadable, Store
from berth.stored import rows
from berth.stored.parallel import in_parallel
from berth.stored.rows import Row

# At a blob that is pushed and collected all the time, there is nothing to verify.
ATTEMPTS = 10

Seen = Callable[[int], None]


class State(enum.Enum):
    WHOLE = "whole"
    MISSING = "missing"
    # Its bytes have another digest, or cannot be read; or there are more or fewer than the tables say.
    WRONG = "wrong"


@dataclass(slots=True)
class Report:
    blobs: int = 0
    bytes: int = 0
    missing: list[Blob] = field(default_factory=list)
    wrong: list[Blob] = field(default_factory=list)
    # In the store, and named by no table. They do no harm but for their size.
    orphaned: list[Blob] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.missing and not self.wrong


async def verify(
    database: Database,
    store: Store,
    at_once: int,
    *,
    repository: Repository | None = None,
    seen: Seen = lambda _: None,
) -> Report:
    """Verify all, or what the repository holds; `seen` is told how many bytes were read, as they are.

    What is pushed or collected meanwhile is no fault. Raises StoreUnavailable, DatabaseUnavailable.
    """
    report = Report()

    async def check(row: Row) -> None:
        state, size = await _state(store, row, seen)
        if state is not State.WHOLE:
            # Perhaps somebody was just removing it, or pushing it again.
            state = await _again(database, store, row.blob)
        report.blobs += 1
        report.bytes += size
        if state is not State.WHOLE:
            (report.missing if state is State.MISSING else report.wrong).append(row.blob)

    await in_parallel(rows.every(database, repository), check, at_once)
    if repository is None:
        report.orphaned = [blob async for blob in _orphaned(database, store)]
    return report


async def _again(database: Database, store: Store, blob: Blob) -> State:
    """The state that the blob had while nobody came to hold it, or ceased to."""
    for _attempt in range(ATTEMPTS):
        row = await rows.one(database, blob)
        if row is None:
            break
        state, _ = await _state(store, row)
        if state is State.WHOLE:
            break
        if await rows.one(database, blob) == row:
            return state if row.is_needed or state is State.WRONG else State.WHOLE
    return State.WHOLE


async def _state(store: Store, row: Row, seen: Seen = lambda _: None) -> tuple[State, int]:
    """And how many bytes were read."""
    digest = row.blob.digest
    hashed, size = hashlib.new(digest.algorithm), 0
    try:
        async for chunk in store.read(row.blob):
            await asyncio.to_thread(hashed.update, chunk)
            size += len(chunk)
            seen(len(chunk))
    except BlobLost:
        return State.MISSING, size
    except BlobUnreadable:
        return State.WRONG, size
    is_whole = hashed.hexdigest() == digest.encoded and (not row.is_needed or size == row.size)
    return State.WHOLE if is_whole else State.WRONG, size


async def _orphaned(database: Database, store: Store) -> AsyncIterator[Blob]:
    found: set[Blob] = set()
    async for some in _by_many(store.blobs()):
        for blob in await rows.unnamed(database, some):
            # Where it was collected since it was listed, it is gone; where it is pushed again, it has a row.
            if blob not in found and await store.size(blob) is not None and await rows.one(database, blob) is None:
                found.add(blob)
                yield blob


async def _by_many(blobs: AsyncIterator[Blob]) -> AsyncIterator[list[Blob]]:
    some: list[Blob] = []
    async for blob in blobs:
        some.append(blob)
        if len(some) == rows.AT_ONCE:
            yield some
            some = []
    if some:
        yield some
