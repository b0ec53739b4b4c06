"""What a store of bytes does, whatever it keeps them on."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from berth.names import Digest, Registry


@dataclass(frozen=True, slots=True)
class Blob:
    """The address of some bytes: each registry keeps its own, so that none learns what another one has."""

    registry: Registry
    digest: Digest


class StoreUnavailable(Exception):
    """The store cannot be used now (no space, no permission, not there); nothing was acknowledged."""


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


class Draft(Protocol):
    """An upload that nobody else can write to meanwhile. Every method raises StoreUnavailable and UploadLost."""

    async def append(self, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Write `chunks` from `offset` on and return the new size; what lay beyond `offset` was never acknowledged.

        Raises whatever `chunks` raises: then the upload still holds its first `offset` bytes.
        """

    async def digest(self, size: int, algorithm: str) -> Digest:
        """The digest of the first `size` bytes."""

    async def complete(self, size: int, blob: Blob) -> None:
        """Make the first `size` bytes the durable content of `blob`. Raises DigestMismatch."""


class Store(Protocol):
    """Bytes by digest, and the uploads that become them. Every method raises StoreUnavailable."""

    async def check(self) -> None:
        """Raise StoreUnavailable unless the store can be written to now."""

    async def size(self, blob: Blob) -> int | None:
        """The size of `blob` in bytes, or None where the store has no such blob."""

    def path(self, blob: Blob) -> Path:
        """The file that holds `blob`, for the kernel to send from."""

    async def begin(self, upload: uuid.UUID) -> None:
        """Make room for a new upload."""

    def claim(self, upload: uuid.UUID) -> AbstractAsyncContextManager[Draft]:
        """The upload, for this request alone until the context ends. Raises UploadBusy, UploadLost.

        Leave it by an exception whenever what was appended is not acknowledged.
        """

    async def abandon(self, upload: uuid.UUID) -> None:
        """Forget `upload` and its bytes; no error where there are none."""

    async def sweep(self, older_than_seconds: float) -> int:
        """Remove uploads that nothing has written to for so long, and say how many."""
