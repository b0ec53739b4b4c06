"""A store in a folder.

    blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…    a blob, complete and durable as soon as the name exists
    uploads/UUID                                  an upload; its first bytes, as many as its row says, count
    locks/ab                                      empty: locked by whoever gives a blob its name or takes it away

A blob gets its name by rename, after fsync of its bytes; then the folder is synced, so that it outlives a crash.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import itertools
import os
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from berth.names import Digest, NameInvalid, Registry
from berth.store.contract import (
    Blob,
    BlobLost,
    Confirm,
    DigestMismatch,
    Pouring,
    StoreUnavailable,
    UploadBusy,
    UploadLost,
    Written,
)

BUFFER_BYTES = 1 << 20
# writev(2): more at once are refused.
MOST_PIECES = 1024
# So much is hashed, and written to memory, in less time than a thread takes to hear of it.
SMALL_BYTES = 64 << 10
REMEMBERED_HASHES = 256
LISTED_AT_ONCE = 1000
DEFAULT_ALGORITHM = "sha256"
LOCK_PAUSE_SECONDS = 0.005
LOCK_ATTEMPTS = 2000


class Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...
    def copy(self) -> "Hash": ...


class FilesystemStore:
    """Implements berth.store.contract.Store."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._uploads = root / "uploads"
        self._locks = root / "locks"
        # How far this process has hashed an upload; one that another process wrote to is hashed anew from its file.
        self._hashes: OrderedDict[uuid.UUID, tuple[int, Hash]] = OrderedDict()

    async def locate(self, blob: Blob) -> Path:
        return self._path(blob)

    def _path(self, blob: Blob) -> Path:
        digest = blob.digest
        folder = self._blobs / blob.registry.account / blob.registry.region / digest.algorithm / digest.encoded[:2]
        return folder / digest.encoded

    async def check(self) -> None:
        def write() -> None:
            with _faults():
                self._uploads.mkdir(parents=True, exist_ok=True)
                probe = self._uploads / f".probe-{os.getpid()}"
                probe.write_bytes(b"")
                probe.unlink()

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
            await asyncio.to_thread(_unlink, self._path(blob))

    @contextlib.asynccontextmanager
    async def _locked(self, blob: Blob, how: int) -> AsyncIterator[None]:
        """One of 256 locks: LOCK_SH to give the blob its name, LOCK_EX to take it away.

        So these wait for each other even where a lock in the database is lost: the kernel takes this one back only with
        the process.
        """
        with _faults():
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
        files = self._blobs.glob("*/*/*/*/*")
        while True:
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
        # A hash is believed only if all that it covers was acknowledged: it comes back when the context ends well.
        hashed_to, hashed = self._hashes.pop(upload, (0, None))
        with _claimed(file) as descriptor:
            draft = FileDraft(file, descriptor, self._path, self._locked, hashed_to, hashed)
            yield draft
            if draft.hashed is not None and not draft.placed:
                self._hashes[upload] = (draft.hashed_to, draft.hashed)
                if len(self._hashes) > REMEMBERED_HASHES:
                    self._hashes.popitem(last=False)

    async def abandon(self, upload: uuid.UUID) -> None:
        self._hashes.pop(upload, None)
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
        hashed_to: int,
        hashed: Hash | None,
    ) -> None:
        self._file = file
        self._descriptor = descriptor
        self._path = path
        self._locked = locked
        self.hashed_to = hashed_to
        self.hashed = hashed
        self.placed = False

    async def append(self, written: Written, chunks: AsyncIterator[bytes]) -> Written:
        offset = written.size
        with _faults():
            self._require(offset)
            os.ftruncate(self._descriptor, offset)
            os.lseek(self._descriptor, offset, os.SEEK_SET)
        if offset == 0:
            self.hashed_to, self.hashed = 0, hashlib.new(DEFAULT_ALGORITHM)
        sink = _Sink(self._descriptor, self.hashed if self.hashed_to == offset else None)
        self.hashed = None
        if isinstance(chunks, Pouring):
            await chunks.pour(sink.take)
        else:
            await _pour(chunks, sink)
        size = offset + sink.size
        self.hashed_to, self.hashed = size, sink.hashed
        return Written(size, None if sink.hashed is None else Digest(f"{DEFAULT_ALGORITHM}:{sink.hashed.hexdigest()}"))

    async def prepare(self, written: Written, blob: Blob) -> None:
        self._require(written.size)
        actual = written.digest
        if actual is None or actual.algorithm != blob.digest.algorithm:
            algorithm = blob.digest.algorithm
            actual = await asyncio.to_thread(_digest_of_file, self._descriptor, written.size, algorithm)
        if actual != blob.digest:
            raise DigestMismatch(blob.digest, actual)
        await asyncio.to_thread(self._make_durable, written.size, self._path(blob).parent)

    async def place(self, written: Written, blob: Blob) -> None:
        del written
        async with self._locked(blob, fcntl.LOCK_SH):
            await asyncio.to_thread(self._name, self._path(blob))
        self.placed = True

    def _require(self, size: int) -> None:
        if os.fstat(self._descriptor).st_size < size:
            raise UploadLost(self._file.name)

    def _make_durable(self, size: int, folder: Path) -> None:
        with _faults():
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
            _make_folder(folder)

    def _name(self, target: Path) -> None:
        with _faults():
            # Since it was made, the folder may have lost its last blob, and so have gone.
            _make_folder(target.parent)
            self._file.rename(target)
            _sync_folder(target.parent)


@contextlib.contextmanager
def _claimed(file: Path) -> Iterator[int]:
    """A descriptor of `file` that nobody else holds; the lock ends with it, or with the process."""
    with _faults():
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


class _Sink:
    """Hashes bytes, and writes them to a file."""

    def __init__(self, descriptor: int, hashed: Hash | None) -> None:
        self._descriptor = descriptor
        self.hashed = hashed
        self.size = 0

    def take(self, piece: memoryview) -> int:
        if self.hashed is not None:
            self.hashed.update(piece)
        self._write([piece])
        return len(piece)

    def take_all(self, pieces: Sequence[bytes]) -> None:
        if self.hashed is not None:
            for piece in pieces:
                self.hashed.update(piece)
        self._write(pieces)

    def _write(self, pieces: Sequence[bytes | memoryview]) -> None:
        size = sum(map(len, pieces))
        with _faults():
            written = os.writev(self._descriptor, pieces)
            if written < size:
                rest = memoryview(b"".join(pieces))[written:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        self.size += size


async def _pour(chunks: AsyncIterator[bytes], sink: _Sink) -> None:
    """Write what is gathered in a thread while more is gathered; what is little, at once."""
    writing: asyncio.Future[None] | None = None
    loop = asyncio.get_running_loop()
    try:
        async with contextlib.aclosing(_gathered(chunks)) as gathered:
            async for pieces in gathered:
                if writing is not None:
                    await writing
                elif sum(map(len, pieces)) <= SMALL_BYTES:
                    sink.take_all(pieces)
                    continue
                writing = loop.run_in_executor(None, sink.take_all, pieces)
        if writing is not None:
            await writing
    finally:
        # The descriptor is closed after this: no thread may still write to it.
        if writing is not None and not writing.done():
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(writing)


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Gather `chunks` up to BUFFER_BYTES: a thread is worth starting for no less."""
    pieces: list[bytes] = []
    size = 0
    async for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size >= BUFFER_BYTES or len(pieces) == MOST_PIECES:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces


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
    with _faults():
        blob.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            blob.parent.rmdir()


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


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turn the faults of the disk into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        raise StoreUnavailable(f"the store answers {reason}: {os.strerror(error.errno or 0)}") from error
