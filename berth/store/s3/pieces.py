"""The pieces of an upload: one object for each request that brought bytes, never changed once it is there."""

import asyncio
import itertools
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from berth.store.contract import UploadLost, Written
from berth.store.hashing import Hash
from berth.store.s3.bucket import crc32
from berth.store.s3.multipart import COPIED_PART_BYTES, PART_BYTES, Source

UPLOADS = "uploads/"
# Amazon S3 user guide, "Amazon S3 multipart upload limits": of an object's parts only the last may have less than
# 5 MiB, and there are at most 10,000. So a piece that comes after a smaller one takes that one in: all but the last
# have as much as makes 52,000 MiB, the most that a layer may have, in 10,000 pieces.
LEAST_PIECE_BYTES = 5_453_000
# For less, handing the work to a thread costs more than it is worth.
IN_THREAD_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """One as the upload's row names it: `NAME:SIZE`."""

    name: str
    size: int

    @classmethod
    def new(cls, offset: int) -> "Piece":
        return cls(f"{offset:012}-{secrets.token_hex(6)}", 0)

    @classmethod
    def all_of(cls, written: Written) -> list["Piece"]:
        """Raises UploadLost where these are not all that is written: another store wrote the rest."""
        pieces = []
        for text in written.pieces:
            name, _, size = text.partition(":")
            pieces.append(cls(name, int(size)))
        if sum(piece.size for piece in pieces) != written.size:
            raise UploadLost("the upload lies in another store")
        return pieces

    def __str__(self) -> str:
        return f"{self.name}:{self.size}"

    def key(self, upload: uuid.UUID) -> str:
        return f"{UPLOADS}{upload}/{self.name}"

    def sources(self, upload: uuid.UUID) -> list[Source]:
        """The piece in parts of about one size, each as large as is worth a request of its own to copy."""
        count = -(-self.size // COPIED_PART_BYTES)
        bounds = [self.size * number // count for number in range(count + 1)]
        return [Source(self.key(upload), first, after - 1) for first, after in itertools.pairwise(bounds)]


async def hashed_parts(
    beginning: bytes, chunks: AsyncIterator[bytes], hashed: Hash | None
) -> AsyncIterator[tuple[bytearray, str]]:
    """`beginning` and `chunks` in parts of PART_BYTES, each with its CRC-32; `hashed` grows by the chunks."""
    buffer, is_known = bytearray(beginning), len(beginning)
    async for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            room = PART_BYTES - len(buffer)
            buffer += rest[:room]
            rest = rest[room:]
            if len(buffer) == PART_BYTES:
                yield buffer, await _checked(buffer, is_known, hashed)
                buffer, is_known = bytearray(), 0
    if len(buffer) > is_known:
        yield buffer, await _checked(buffer, is_known, hashed)


async def _checked(buffer: bytearray, is_known: int, hashed: Hash | None) -> str:
    def check() -> str:
        if hashed is not None:
            hashed.update(memoryview(buffer)[is_known:])
        return crc32(buffer)

    return check() if len(buffer) < IN_THREAD_BYTES else await asyncio.to_thread(check)
