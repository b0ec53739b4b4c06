"""Work on many things, a few at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

Thing = TypeVar("Thing")


async def in_parallel(things: AsyncIterator[Thing], work: Callable[[Thing], Awaitable[None]], at_once: int) -> None:
    """Do `work` on each; where one fails, the others are cancelled, and its error is raised."""
    slots = asyncio.Semaphore(at_once)

    async def do(thing: Thing) -> None:
        try:
            await work(thing)
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as group:
            async for thing in things:
                await slots.acquire()
                group.create_task(do(thing))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
