"""The blobs and the uploads of a folder, and the locks by which processes do without each other's files."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

from berth.names import Digest, NameInvalid, Registry
from berth.store.contract import Blob, BlobLost, Confirm, StoreUnavailable
from berth.store.filesystem.draft import FileDraft, claimed
from berth.store.filesystem.faults import faults, reading_faults
from berth.store.filesystem.folders import below, open_file, remove_file
from berth.store.filesystem.threads import to_its_end
from berth.store.filesystem.writing import BUFFER_BYTES
from berth.store.hashing import RememberedHashes

LISTED_AT_ONCE = 1000
# Account, region, algorithm, the first of the digest, the digest.
BLOB_LEVELS = 5
LOCK_PAUSE_SECONDS = 0.005
LOCK_ATTEMPTS = 2000


class FilesystemStore:
    """Implements berth.store.contract.Store."""

    # Placing waits for a removal that is confirmed (_locked), and the kernel ends both with their processes.
    settles_after = timedelta()

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._uploads = root / "uploads"
        self._locks = root / "locks"
        # How far this process has hashed an upload; one that another process wrote to is hashed anew from its file.
        self._hashes = RememberedHashes()

    async def locate(self, blob: Blob) -> Path:
        return self._path(blob)

    def _path(self, blob: Blob) -> Path:
        encoded = blob.digest.encoded
        registry = blob.registry
        return self._blobs.joinpath(registry.account, registry.region, blob.digest.algorithm, encoded[:2], encoded)

    async def check(self) -> None:
        def write() -> None:
            with faults():
                self._uploads.mkdir(parents=True, exist_ok=True)
                probe = self._uploads / f".probe-{os.getpid()}"
                probe.write_bytes(b"")
                # In another container, another process may have the same number.
                probe.unlink(missing_ok=True)

        await asyncio.to_thread(write)

    async def size(self, blob: Blob) -> int | None:
        with faults(), contextlib.suppress(FileNotFoundError):
            return (await asyncio.to_thread(os.stat, self._path(blob))).st_size
        return None

    async def read(self, blob: Blob, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes, None]:
        with reading_faults():
            try:
                file = await asyncio.to_thread(self._path(blob).open, "rb")
            except FileNotFoundError:
                raise BlobLost(blob.digest) from None
        with file:
            with reading_faults():
                file.seek(first)
                left = os.fstat(file.fileno()).st_size - first if last is None else last - first + 1
            while left > 0:
                with reading_faults():
                    chunk = await asyncio.to_thread(file.read, min(left, BUFFER_BYTES))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        async with self._locked(blob, fcntl.LOCK_EX):
            if confirm is not None:
                await confirm()
            await to_its_end(remove_file, self._path(blob))

    @contextlib.asynccontextmanager
    async def _locked(self, blob: Blob, how: int) -> AsyncIterator[None]:
        """One of 256 locks: LOCK_SH to give the blob its name, LOCK_EX to take it away.

        So these wait for each other whatever the database knows: the kernel takes this lock back only with the process.
        """
        with faults():
            descriptor = open_file(self._locks / blob.digest.encoded[:2])
        try:
            for _ in range(LOCK_ATTEMPTS):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, how | fcntl.LOCK_NB)
                    break
                await asyncio.sleep(LOCK_PAUSE_SECONDS)
            else:
                raise StoreUnavailable("another process does not come to an end of removing or storing a blob")
            yield
        finally:
            os.close(descriptor)

    async def blobs(self) -> AsyncGenerator[Blob, None]:
        files = below(self._blobs, BLOB_LEVELS)
        while True:
            with faults():
                some = await asyncio.to_thread(lambda: list(itertools.islice(files, LISTED_AT_ONCE)))
            for file in some:
                account, region, algorithm, _, encoded = file.relative_to(self._blobs).parts
                with contextlib.suppress(NameInvalid):
                    yield Blob(Registry.parse(account, region), Digest.parse(f"{algorithm}:{encoded}"))
            if not some:
                return

    @contextlib.asynccontextmanager
    async def claim(self, upload: uuid.UUID) -> AsyncIterator["FileDraft"]:
        file = self._uploads / str(upload)
        hashed = self._hashes.take(upload)
        with claimed(file) as descriptor:
            draft = FileDraft(file, descriptor, self._path, self._locked, hashed)
            yield draft
            if draft.hashed is not None and not draft.placed:
                self._hashes.keep(upload, draft.hashed)

    async def abandon(self, upload: uuid.UUID) -> None:
        self._hashes.take(upload)
        with faults():
            await asyncio.to_thread((self._uploads / str(upload)).unlink, missing_ok=True)

    async def stale_uploads(self, older_than_seconds: float) -> list[uuid.UUID]:
        def stale() -> Iterator[uuid.UUID]:
            before = time.time() - older_than_seconds
            with contextlib.suppress(FileNotFoundError):
                for file in self._uploads.iterdir():
                    with contextlib.suppress(FileNotFoundError, ValueError):
                        if file.stat().st_mtime < before:
                            yield uuid.UUID(file.name)

        with faults():
            return await asyncio.to_thread(lambda: list(stale()))

    async def close(self) -> None:
        self._hashes.clear()
