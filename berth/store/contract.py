"""What a store of bytes does, whatever it keeps them on."""

import uuid
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from berth.names import Digest, Registry


@dataclass(frozen=True, slots=True)
class Blob:
    """The address of some bytes: each registry keeps its own, so that none learns what another one has."""

    registry: Registry
    digest: Digest


@dataclass(frozen=True, slots=True)
class Written:
    """What a store has of an upload. The upload's row keeps it, so that any process can go on."""

    # In bytes.
    size: int = 0
    # Their SHA-256, where the store knows it.
    digest: Digest | None = None
    # What the store calls the pieces that they lie in, in order, where it has more than one place for them.
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """The client is to fetch the bytes from this address, which holds for a while."""

    url: str


class StoreUnavailable(Exception):
    """The store cannot be used now (no space, no permission, not there); nothing was acknowledged."""


class BlobUnreadable(StoreUnavailable):
    """The store has the blob, but cannot read it: other blobs it can, most likely."""


class RemovalUnsettled(StoreUnavailable):
    """The bytes may be gone, or go yet: whether the request that removes them arrives is not known."""


class BlobLost(Exception):
    """The store does not hold a blob that a repository says it has."""


class DigestMismatch(Exception):
    """The bytes that were uploaded have another digest than the one they were said to have."""

    def __init__(self, given: Digest, actual: Digest) -> None:
        super().__init__(f"the content has the digest '{actual}', not '{given}'")
        self.given = given
        self.actual = actual


class UploadBusy(Exception):
    """Another request is writing to the same upload."""


class UploadLost(Exception):
    """The store does not hold the bytes that this upload has acknowledged."""


# Takes the next bytes, which are only good during the call, in whatever thread, and returns how many they are.
Take = Callable[[memoryview], int]


class Pouring(AsyncIterator[bytes]):
    """Many bytes, whose number is known. They come at least cost where they are taken as they arrive, in a thread."""

    def __init__(self, length: int) -> None:
        self.length = length

    @abstractmethod
    async def pour(self, take: Take) -> None:
        """Hand all the bytes to `take`, in order, instead of by iteration. Raises whatever `take` raises."""


class Draft(Protocol):
    """An upload on its way. Every method raises StoreUnavailable and UploadLost.

    `written` is what the upload's row says; what the store has beyond it was never acknowledged.
    """

    async def append(self, written: Written, chunks: AsyncIterator[bytes]) -> Written:
        """Write `chunks`, which may be Pouring, after what is written.

        Raises whatever `chunks` raises: then the upload still holds what was written before.
        """

    async def prepare(self, written: Written, blob: Blob) -> None:
        """Make what is written ready to become `blob`: right and durable. Raises DigestMismatch."""

    async def place(self, written: Written, blob: Blob) -> None:
        """Make what was prepared the content of `blob`, durable when this returns. The upload is then at its end."""


# Raises where the bytes must stay.
Confirm = Callable[[], Awaitable[None]]


class Store(Protocol):
    """Bytes by digest, and the uploads that become them. Every method raises StoreUnavailable."""

    @property
    def settles_after(self) -> timedelta:
        """How long a removal may be on its way that nobody waits for: its process was killed, or heard no answer."""

    async def check(self) -> None:
        """Raise StoreUnavailable unless the store can be written to now."""

    async def size(self, blob: Blob) -> int | None:
        """The size of `blob` in bytes, or None where the store has no such blob."""

    async def locate(self, blob: Blob) -> Path | Redirect | None:
        """The file that holds `blob`, for the kernel to send from; or where else to fetch it; or None: `read` it.

        That the blob is there is not looked at.
        """

    def read(self, blob: Blob, first: int = 0, last: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of `blob` from `first` to `last`, both inclusive, in chunks of at most 1 MiB.

        Raises BlobLost, BlobUnreadable.
        """

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        """Remove the bytes of `blob`; no error where there are none. Who reads them now may read them to the end.

        `confirm` is awaited right before the bytes go; where it raises, they stay. What is placed after it has returned
        is not removed any more, whatever becomes of this process, but within `settles_after`. Raises RemovalUnsettled
        where they may go until then, and StoreUnavailable alone where they stay.
        """

    def blobs(self) -> AsyncIterator[Blob]:
        """Every blob that the store has, in no order."""

    def claim(self, upload: uuid.UUID) -> AbstractAsyncContextManager[Draft]:
        """The upload, which need not have any bytes yet, until the context ends. Raises UploadBusy.

        Leave it by an exception whenever what was appended is not acknowledged.
        """

    async def abandon(self, upload: uuid.UUID) -> None:
        """Forget `upload` and its bytes; no error where there are none."""

    async def stale_uploads(self, older_than_seconds: float) -> list[uuid.UUID]:
        """The uploads that have bytes, but to which nothing was written for so long."""

    async def close(self) -> None:
        """Give free what the store holds on to in this process."""
