"""The blobs that the tables name, carried from one store to another."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from berth.database.db import Database
from berth.store.contract import Blob, BlobLost, DigestMismatch, Store, Written
from berth.stored import rows
from berth.stored.parallel import in_parallel
from berth.stored.rows import Row
from berth.stored.verifying import Seen

# Uploads to which something was written in the last minute are listed too, whatever the clocks say.
EVERY_UPLOAD = -3600.0


@dataclass(slots=True)
class Moved:
    """What a move came to."""

    copied: int = 0
    bytes: int = 0
    # Were in the other store before.
    present: int = 0
    # In neither store.
    missing: list[Blob] = field(default_factory=list)
    # Have another digest where they are.
    wrong: list[Blob] = field(default_factory=list)
    # Began in the store that is left, and will end there.
    uploads: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left that only the former store has."""
        return not self.missing and not self.wrong and not self.uploads


async def move(database: Database, source: Store, target: Store, at_once: int, *, seen: Seen = lambda _: None) -> Moved:
    """Copy what `target` does not have, each blob verified by its digest; `seen` is told of bytes as they are copied.

    Again and again until nothing new has come to `source` meanwhile. What is in `target` is not copied again, so that
    one that was broken off goes on. Raises StoreUnavailable, DatabaseUnavailable.
    """
    moved = Moved()
    while True:
        uploads = await source.stale_uploads(EVERY_UPLOAD)
        this = Moved(copied=moved.copied, bytes=moved.bytes, uploads=len(uploads))
        before = this.copied

        async def carry(row: Row, this: Moved = this) -> None:
            await _carry(database, source, target, row, this, seen)

        await in_parallel(rows.every(database), carry, at_once)
        moved = this
        if this.copied == before:
            return moved


async def _carry(database: Database, source: Store, target: Store, row: Row, moved: Moved, seen: Seen) -> None:
    blob = row.blob
    there, here = await target.size(blob), await source.size(blob)
    if there is not None and here in (None, there):
        moved.present += 1
        seen(row.size)
        return
    try:
        size = await _copy(database, source, target, blob, seen)
        moved.copied += 1
        moved.bytes += size
    except BlobLost:
        # It may have been collected, or pushed to where what is new goes.
        again = await rows.one(database, blob)
        if again is not None and again.is_needed and await target.size(blob) is None:
            moved.missing.append(blob)
    except DigestMismatch:
        moved.wrong.append(blob)


async def _copy(database: Database, source: Store, target: Store, blob: Blob, seen: Seen) -> int:
    """Return the number of its bytes. Raises BlobLost, DigestMismatch."""

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in source.read(blob):
            seen(len(chunk))
            yield chunk

    upload = uuid.uuid4()
    try:
        async with target.claim(upload) as draft:
            written = await draft.append(Written(), chunks())
            await draft.prepare(written, blob)
            settled_after = max(source.settles_after, target.settles_after)
            async with rows.holding(database, blob, settled_after):
                await draft.place(written, blob)
    except BaseException:
        await target.abandon(upload)
        raise
    return written.size
