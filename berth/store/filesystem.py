"""A store in a folder.

    blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…    a blob, complete and durable as soon as the name exists
    uploads/UUID                                  an upload; its first bytes, as many as its row says, count
    locks/ab                                      empty: locked by whoever gives a blob its name or takes it away

A blob gets its name by rename, after fsync of its bytes; then the folder is synced, so that it outlives a crash.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import itertools
import os
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path

from berth.names import Digest, NameInvalid, Registry
from berth.store.contract import (
    Blob,
    BlobLost,
    Confirm,
    DigestMismatch,
    StoreUnavailable,
    UploadBusy,
    UploadLost,
    Written,
)
from berth.store.hashing import Hashed, RememberedHashes
from berth.store.threads import to_its_end
from berth.store.writing import BUFFER_BYTES, Sink, faults

LISTED_AT_ONCE = 1000
# Account, region, algorithm, the first of the digest, the digest.
BLOB_LEVELS = 5
LOCK_PAUSE_SECONDS = 0.005
LOCK_ATTEMPTS = 2000


class FilesystemStore:
    """Implements berth.store.contract.Store."""

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
        try:
            return (await asyncio.to_thread(os.stat, self._path(blob))).st_size
        except FileNotFoundError:
            return None

    async def read(self, blob: Blob, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes, None]:
        try:
            file = await asyncio.to_thread(self._path(blob).open, "rb")
        except FileNotFoundError:
            raise BlobLost(blob.digest) from None
        with file:
            file.seek(first)
            left = os.fstat(file.fileno()).st_size - first if last is None else last - first + 1
            while left > 0:
                chunk = await asyncio.to_thread(file.read, min(left, BUFFER_BYTES))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        async with self._locked(blob, fcntl.LOCK_EX):
            if confirm is not None:
                await confirm()
            await to_its_end(_unlink, self._path(blob))

    @contextlib.asynccontextmanager
    async def _locked(self, blob: Blob, how: int) -> AsyncIterator[None]:
        """One of 256 locks: LOCK_SH to give the blob its name, LOCK_EX to take it away.

        So these wait for each other even where a lock in the database is lost: the kernel takes this one back only with
        the process.
        """
        with faults():
            descriptor = _open(self._locks / blob.digest.encoded[:2])
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
        files = _below(self._blobs, BLOB_LEVELS)
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
        with _claimed(file) as descriptor:
            draft = FileDraft(file, descriptor, self._path, self._locked, hashed)
            yield draft
            if draft.hashed is not None and not draft.placed:
                self._hashes.keep(upload, draft.hashed)

    async def abandon(self, upload: uuid.UUID) -> None:
        self._hashes.take(upload)
        await asyncio.to_thread((self._uploads / str(upload)).unlink, missing_ok=True)

    async def stale_uploads(self, older_than_seconds: float) -> list[uuid.UUID]:
        def stale() -> Iterator[uuid.UUID]:
            before = time.time() - older_than_seconds
            with contextlib.suppress(FileNotFoundError):
                for file in self._uploads.iterdir():
                    with contextlib.suppress(FileNotFoundError, ValueError):
                        if file.stat().st_mtime < before:
                            yield uuid.UUID(file.name)

        return await asyncio.to_thread(lambda: list(stale()))

    async def close(self) -> None:
        self._hashes.clear()


class FileDraft:
    """Implements berth.store.contract.Draft on a file whose lock this process holds."""

    def __init__(
        self,
        file: Path,
        descriptor: int,
        path: Callable[[Blob], Path],
        locked: Callable[[Blob, int], contextlib.AbstractAsyncContextManager[None]],
        hashed: Hashed | None,
    ) -> None:
        self._file = file
        self._descriptor = descriptor
        self._path = path
        self._locked = locked
        self.hashed = hashed
        self.placed = False

    async def append(self, written: Written, chunks: AsyncIterator[bytes]) -> Written:
        offset = written.size
        with faults():
            self._cut(offset)
            os.lseek(self._descriptor, offset, os.SEEK_SET)
        hashed = self.hashed if offset else Hashed.nothing()
        if hashed is not None and hashed.size != offset:
            hashed = None
        self.hashed = None
        sink = Sink(self._descriptor, hashed)
        try:
            await sink.receive(chunks)
        except BaseException:
            # It may be what fills the disk, and nobody may ever go on with this upload.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, offset)
            raise
        self.hashed = hashed
        return Written(offset + sink.size, None if hashed is None else hashed.digest)

    async def prepare(self, written: Written, blob: Blob) -> None:
        self._require(written.size)
        actual = written.digest
        if actual is None or actual.algorithm != blob.digest.algorithm:
            algorithm = blob.digest.algorithm
            actual = await to_its_end(_digest_of_file, self._descriptor, written.size, algorithm)
        if actual != blob.digest:
            raise DigestMismatch(blob.digest, actual)
        await to_its_end(self._make_durable, written.size, self._path(blob).parent)

    async def place(self, written: Written, blob: Blob) -> None:
        del written
        async with self._locked(blob, fcntl.LOCK_SH):
            await to_its_end(self._name, self._path(blob))
        self.placed = True

    def _require(self, size: int) -> int:
        """How much there is beyond `size`."""
        beyond = os.fstat(self._descriptor).st_size - size
        if beyond < 0:
            raise UploadLost(self._file.name)
        return beyond

    def _cut(self, size: int) -> None:
        # ftruncate(2) costs as much as writing a small layer, even where it changes nothing.
        if self._require(size):
            os.ftruncate(self._descriptor, size)

    def _make_durable(self, size: int, folder: Path) -> None:
        with faults():
            self._cut(size)
            os.fsync(self._descriptor)
            _make_folder(folder)

    def _name(self, target: Path) -> None:
        with faults():
            # Where it has expired meanwhile, its name may be that of a file which another request has just made.
            if not _has_name(self._descriptor, self._file):
                raise UploadLost(self._file.name)
            # Since it was made, the folder may have lost its last blob, and so have gone.
            _make_folder(target.parent)
            self._file.rename(target)
            _sync_folder(target.parent)


@contextlib.contextmanager
def _claimed(file: Path) -> Iterator[int]:
    """A descriptor of `file` that nobody else holds; the lock ends with it, or with the process."""
    with faults():
        descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another request may have made it a blob since it was opened: its name is then gone, and its bytes are sacred.
        if not _has_name(descriptor, file):
            raise UploadBusy(file.name)
        try:
            yield descriptor
        finally:
            # Of an upload that there is not, or that was never written to, nothing is left.
            if os.fstat(descriptor).st_size == 0 and _has_name(descriptor, file):
                file.unlink()
    except BlockingIOError as error:
        raise UploadBusy(file.name) from error
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(file, flags, 0o600)
    except FileNotFoundError:
        _make_folder(file.parent)
        return os.open(file, flags, 0o600)


def _has_name(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _digest_of_file(descriptor: int, size: int, algorithm: str) -> Digest:
    hashed = hashlib.new(algorithm)
    done = 0
    while done < size:
        piece = os.pread(descriptor, min(size - done, BUFFER_BYTES), done)
        if not piece:
            raise UploadLost(f"{size - done} bytes are missing")
        hashed.update(piece)
        done += len(piece)
    return Digest(f"{algorithm}:{hashed.hexdigest()}")


def _unlink(blob: Path) -> None:
    """Remove the file, and its folder where it was the last one in it: folders do not shrink."""
    with faults():
        blob.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            blob.parent.rmdir()


def _below(folder: Path, levels: int) -> Iterator[Path]:
    """What is so many levels below. In a folder that goes meanwhile, with its last blob, there is nothing."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if levels == 1:
            yield folder / name
        else:
            yield from _below(folder / name, levels - 1)


def _make_folder(folder: Path) -> None:
    """Make `folder` and its parents, each entry durable."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
