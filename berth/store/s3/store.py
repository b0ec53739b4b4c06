"""A store in a bucket.

    blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…    a blob, complete and durable as soon as the name exists
    uploads/UUID/OFFSET-RANDOM                    a piece of an upload; those that its row names count

What is received goes to the bucket as it comes, in parts of a multipart upload; a blob gets its name by a copy within
the bucket, after its digest was compared.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta

import structlog

from berth.store.contract import Blob, BlobLost, Confirm, Redirect, StoreUnavailable
from berth.store.hashing import RememberedHashes
from berth.store.s3.access import Access
from berth.store.s3.bucket import Bucket, Listed, crc32
from berth.store.s3.draft import S3Draft
from berth.store.s3.faults import S3Missing
from berth.store.s3.keys import BLOBS, blob_of, key_of
from berth.store.s3.pieces import UPLOADS, Piece
from berth.store.s3.removals import SETTLES_AFTER, Removals

log = structlog.get_logger()

# Enough to follow the redirect, and to ask again where the connection breaks.
REDIRECT_SECONDS = 1200
# A check more often than this does not write again.
PROBE_SECONDS = 60.0
PROBE = f"{UPLOADS}.probe"


class S3Store:
    """Implements berth.store.contract.Store."""

    settles_after = SETTLES_AFTER

    def __init__(self, access: Access) -> None:
        self._bucket = Bucket(access)
        self._removals = Removals(self._bucket.wire, self._bucket.full)
        self._redirects = access.redirects
        self._hashes = RememberedHashes()
        self._cleaning: set[asyncio.Task[None]] = set()
        self._probed_at = float("-inf")

    async def check(self) -> None:
        if time.monotonic() - self._probed_at < PROBE_SECONDS:
            await self._bucket.check()
            return
        await self._bucket.put(PROBE, b"", crc32(b""))
        self._probed_at = time.monotonic()

    async def size(self, blob: Blob) -> int | None:
        return await self._bucket.size(key_of(blob))

    async def locate(self, blob: Blob) -> Redirect | None:
        if not self._redirects:
            return None
        return Redirect(await self._bucket.presigned(key_of(blob), REDIRECT_SECONDS))

    async def read(self, blob: Blob, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes, None]:
        try:
            async with contextlib.aclosing(self._bucket.read(key_of(blob), first, last)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except S3Missing as error:
            raise BlobLost(blob.digest) from error

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        await self._removals.remove(key_of(blob), confirm)

    async def blobs(self) -> AsyncGenerator[Blob, None]:
        async for listed in self._bucket.list(BLOBS):
            if blob := blob_of(listed.key):
                yield blob

    @contextlib.asynccontextmanager
    async def claim(self, upload: uuid.UUID) -> AsyncIterator[S3Draft]:
        """Nobody is kept out: of two who write, the upload's row takes one's pieces, and the other's are removed."""
        draft = S3Draft(self._bucket, upload, self._hashes.take(upload))
        try:
            yield draft
        except BaseException:
            if draft.added:
                self._later(self._delete(upload, draft.added))
            raise
        if draft.outdated:
            self._later(self._delete(upload, draft.outdated))
        if draft.hashed is not None:
            self._hashes.keep(upload, draft.hashed)

    async def abandon(self, upload: uuid.UUID) -> None:
        self._hashes.take(upload)
        folder = f"{UPLOADS}{upload}/"
        async for listed in self._bucket.list_multiparts(folder):
            await self._bucket.abort_multipart(listed.key, listed.upload_id)
        async for listed in self._bucket.list(folder):
            await self._bucket.delete(listed.key)

    async def stale_uploads(self, older_than_seconds: float) -> list[uuid.UUID]:
        """The same as in the contract; blobs whose copying was broken off so long ago are given up on the way."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        async for listed in self._bucket.list_multiparts(BLOBS):
            if listed.written_at < before:
                await self._bucket.abort_multipart(listed.key, listed.upload_id)
        newest: dict[uuid.UUID, datetime] = {}
        for listing in (self._bucket.list(UPLOADS), self._bucket.list_multiparts(UPLOADS)):
            async for listed in listing:
                if upload := _upload_of(listed):
                    newest[upload] = max(listed.written_at, newest.get(upload, listed.written_at))
        return [upload for upload, written_at in newest.items() if written_at < before]

    async def cleaned(self) -> None:
        """Return when what this process has to clean up is cleaned up."""
        while self._cleaning:
            await asyncio.wait(self._cleaning)

    async def close(self) -> None:
        self._hashes.clear()
        await self.cleaned()
        await self._removals.close()
        await self._bucket.wire.close()

    async def _delete(self, upload: uuid.UUID, pieces: list[Piece]) -> None:
        for piece in pieces:
            await self._bucket.delete(piece.key(upload))

    def _later(self, cleaning: Coroutine[None, None, None]) -> None:
        """Clean up while nobody waits for it; what is left, also by the end of this process, `stale_uploads` finds."""

        async def clean() -> None:
            try:
                await cleaning
            except StoreUnavailable as error:
                log.warning("pieces of an upload are left for later", reason=str(error))

        task = asyncio.create_task(clean())
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)


def _upload_of(listed: Listed) -> uuid.UUID | None:
    with contextlib.suppress(ValueError):
        return uuid.UUID(listed.key.removeprefix(UPLOADS).partition("/")[0])
    return None
