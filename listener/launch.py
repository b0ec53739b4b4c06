"""What a plane is given by whoever starts it: a name, sockets that listen already, and a pipe to say when it is ready.

    python -m dataplane --name dataplane-2 --sockets 5,6 --share 7,1,2 --ready 8

Without these it is a service of its own: it binds its sockets itself.
"""

import argparse
import asyncio
import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from listener.health import Readiness
from listener.share import Share

ASK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Launch:
    """`sockets` is empty where the plane binds them itself; `ready` is the descriptor of the pipe."""

    name: str
    sockets: tuple[socket.socket, ...] = ()
    share: Share | None = None
    ready: int | None = None

    async def tell(self, readiness: Readiness) -> None:
        """Write a line on the pipe for what is missing, and an empty one once nothing is."""
        if self.ready is None:
            return
        missing = None
        with contextlib.suppress(BrokenPipeError):
            while missing != "":
                missing = await readiness.missing()
                os.write(self.ready, f"{missing}\n".encode())
                await asyncio.sleep(ASK_SECONDS)


def read(module: str, arguments: Sequence[str]) -> Launch:
    """The launch that the command line of `module` describes."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Its settings are BERTH_… variables.")
    parser.add_argument("--name", default=module, help="its name in the log")
    parser.add_argument("--sockets", type=_numbers, default=(), help="descriptors of sockets that listen")
    parser.add_argument("--share", type=_numbers, help="descriptor of the counts, number of this process, of how many")
    parser.add_argument("--ready", type=int, help="descriptor on which to say what is missing")
    given = parser.parse_args(arguments)
    sockets = tuple(socket.socket(fileno=number) for number in given.sockets)
    for listening in sockets:
        listening.setblocking(False)
    return Launch(given.name, sockets, Share(*given.share) if given.share else None, given.ready)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))
