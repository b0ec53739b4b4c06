"""Tasks beside the one at hand: such as go on as long as a context lasts, and such as must come to their end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Do `work`, which has no end of its own, for as long as the context lasts."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_done(future: asyncio.Future[Any]) -> None:
    """Wait until it is done, however often this is cancelled: what it uses is given up afterwards."""
    while not future.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([future])


async def at_its_end(future: asyncio.Future[Result], stop: Callable[[], object] | None = None) -> Result:
    """What comes of it. Who is cancelled meanwhile hears of it when it is at its end, to which `stop` may bring it."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        await until_done(future)
        raise
