"""Work in threads that uses what whoever waits for it gives up afterwards: a descriptor, a lock."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from berth.tasks import at_its_end

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def to_its_end(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """What `work` returns or raises, in a thread. Who is cancelled meanwhile hears of it when the work is at its end.

    (asyncio.to_thread is back at once: the thread would go on with a descriptor that is another file's by then.)
    """
    return await at_its_end(asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **kwargs)))
