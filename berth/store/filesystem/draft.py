"""An upload on its way into a folder."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from berth.files import has_name
from berth.names import Digest
from berth.store.contract import Blob, DigestMismatch, UploadBusy, UploadLost, Written
from berth.store.filesystem.faults import faults
from berth.store.filesystem.folders import make_folder, open_file, sync_folder
from berth.store.filesystem.threads import to_its_end
from berth.store.filesystem.writing import BUFFER_BYTES, Sink
from berth.store.hashing import Hashed


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
            make_folder(folder)

    def _name(self, target: Path) -> None:
        with faults():
            # Where it has expired meanwhile, its name may be that of a file which another request has just made.
            if not has_name(self._descriptor, self._file):
                raise UploadLost(self._file.name)
            # Since it was made, the folder may have lost its last blob, and so have gone.
            make_folder(target.parent)
            self._file.rename(target)
            sync_folder(target.parent)


@contextlib.contextmanager
def claimed(file: Path) -> Iterator[int]:
    """A descriptor of `file` that nobody else holds; the lock ends with it, or with the process."""
    with faults():
        descriptor = open_file(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another request may have made it a blob since it was opened: its name is then gone, and its bytes are sacred.
        if not has_name(descriptor, file):
            raise UploadBusy(file.name)
        try:
            yield descriptor
        finally:
            # Of an upload that there is not, or that was never written to, nothing is left.
            if os.fstat(descriptor).st_size == 0 and has_name(descriptor, file):
                file.unlink()
    except BlockingIOError as error:
        raise UploadBusy(file.name) from error
    finally:
        os.close(descriptor)


def _digest_of_file(descriptor: int, size: int, algorithm: str) -> Digest:
    hashed = hashlib.new(algorithm)
    done = 0
    while done < size:
        with faults():
            piece = os.pread(descriptor, min(size - done, BUFFER_BYTES), done)
        if not piece:
            raise UploadLost(f"{size - done} bytes are missing")
        hashed.update(piece)
        done += len(piece)
    return Digest(f"{algorithm}:{hashed.hexdigest()}")
