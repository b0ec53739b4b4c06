"""Bytes on their way into a file: hashed and written, in as few steps as their number allows."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from berth.store.contract import Pouring
from berth.store.filesystem.faults import faults
from berth.store.filesystem.reserve import Reserve
from berth.store.hashing import Hashed
from berth.tasks import until_done

BUFFER_BYTES = 1 << 20
# writev(2): more at once are refused.
MOST_PIECES = 1024
# So much is hashed, and written to memory, in less time than a thread takes to hear of it.
SMALL_BYTES = 64 << 10


class Sink:
    """The end of an open file. What comes is added to `hashed`, too, where there is one."""

    def __init__(self, descriptor: int, hashed: Hashed | None) -> None:
        self._descriptor = descriptor
        self._hashed = hashed
        self._reserve = Reserve(descriptor)
        # How many bytes came.
        self.size = 0

    async def receive(self, chunks: AsyncIterator[bytes]) -> None:
        """Raises StoreUnavailable, and whatever `chunks` raises. No thread writes any more when it is over."""
        if isinstance(chunks, Pouring):
            await chunks.pour(self._take)
        else:
            await self._gather(chunks)

    def _take(self, piece: memoryview) -> int:
        self._take_all([piece])
        return len(piece)

    def _take_all(self, pieces: Sequence[bytes | memoryview]) -> None:
        size = sum(map(len, pieces))
        self._reserve.keep(size)
        if self._hashed is not None:
            for piece in pieces:
                self._hashed.hash.update(piece)
        with faults():
            written = os.writev(self._descriptor, pieces)
            if written < size:
                rest = memoryview(b"".join(pieces))[written:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        self.size += size
        if self._hashed is not None:
            self._hashed.size += size

    async def _gather(self, chunks: AsyncIterator[bytes]) -> None:
        """Write what is gathered in a thread while more is gathered; what is little, at once."""
        writing: asyncio.Future[None] | None = None
        loop = asyncio.get_running_loop()
        try:
            async with contextlib.aclosing(_gathered(chunks)) as gathered:
                async for pieces in gathered:
                    if writing is not None:
                        await writing
                    elif sum(map(len, pieces)) <= SMALL_BYTES:
                        self._take_all(pieces)
                        continue
                    writing = loop.run_in_executor(None, self._take_all, pieces)
            if writing is not None:
                await writing
        finally:
            # The descriptor is closed after this: no thread may still write to it.
            if writing is not None:
                await until_done(writing)


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
