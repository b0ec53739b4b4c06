"""The body of a large layer, which is received by threads where it can be (listener/takeover.py)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from berth.store.contract import Pouring, Take
from berth.tasks import at_its_end
from dataplane import bodies
from listener.takeover import Takeover, can_take_over

# Of a smaller body most is here before a thread is.
LEAST_BYTES = 1 << 20
# Each has a buffer (listener.takeover.BUFFER_BYTES) and, as long as bytes come, keeps a core busy with hashing.
THREADS = 8

_threads = ThreadPoolExecutor(THREADS, "bodies")


def is_large(request: web.Request) -> bool:
    return (request.content_length or 0) >= LEAST_BYTES and can_take_over(request)


class LargeBody(Pouring):
    """Raises OciError (400, 408), whichever way it is read."""

    def __init__(self, request: web.Request) -> None:
        super().__init__(request.content_length or 0)
        self._request = request
        self._chunks = bodies.chunks(request)

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def pour(self, take: Take) -> None:
        if not can_take_over(self._request):
            # The client has gone since.
            async for chunk in self._chunks:
                take(memoryview(chunk))
            return
        with bodies.faults():
            async with Takeover(self._request) as taken:
                await _in_thread(taken, lambda: sum(take(memoryview(piece)) for piece in taken.early))
                await self._receive(taken, take)

    async def _receive(self, taken: Takeover, take: Take) -> None:
        patience = bodies.Patience()
        clock = asyncio.get_running_loop().time
        while not taken.is_complete:
            patience.waited(0, await _in_thread(taken, lambda: taken.receive(take)))
            if not taken.is_complete:
                began = clock()
                await taken.wait(patience.seconds)
                patience.waited(clock() - began, 0)


async def _in_thread(taken: Takeover, work: Callable[[], int]) -> int:
    """Be back only when the work is at its end: it uses what whoever is cancelled gives up."""
    return await at_its_end(asyncio.get_running_loop().run_in_executor(_threads, work), taken.stop)
