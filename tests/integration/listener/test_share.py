"""Processes at one port: each takes connections while no other has fewer."""

import asyncio
import contextlib
import mmap
import os
import struct
import tempfile
from collections.abc import Iterator

import pytest

from berth.networks.sockets import bind
from berth.settings import Settings
from listener.serving import Taking, made, serving
from listener.share import Share
from tests.integration.listener.plane import Plane, exchange


@pytest.fixture
def counts() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        os.truncate(file.fileno(), 8)
        yield file.fileno()


def told(counts: int) -> tuple[int, ...]:
    with mmap.mmap(counts, 8) as page:
        return struct.unpack("=2I", page)


def test_the_one_with_fewer_goes_first(counts: int) -> None:
    one, two = Share(counts, 0, 2), Share(counts, 1, 2)
    assert not one.is_ahead()
    one.tell(1)
    assert one.is_ahead()
    assert not two.is_ahead()
    two.tell(1)
    assert not one.is_ahead()
    assert not two.is_ahead()
    two.close()
    one.tell(50)
    assert not one.is_ahead(), "nobody waits for a process that takes no more"
    two.tell(0)
    assert told(counts) == (50, 0xFFFF_FFFF)
    one.close()


async def test_a_process_whose_other_does_not_take_takes_after_all(
    plane: Plane, settings: Settings, counts: int
) -> None:
    """The other one hangs: it has no connection, and accepts none."""
    sockets = bind("127.0.0.1:0")
    host, port = sockets[0].getsockname()
    other = Share(counts, 1, 2)
    app = await made(plane.make_app, settings)
    async with serving(app, settings, Taking(sockets, share=Share(counts, 0, 2))):
        async with contextlib.AsyncExitStack() as stack:
            for number in range(1, 6):
                reader, writer = await asyncio.open_connection(host, port)
                stack.callback(writer.close)
                assert await exchange(reader, writer, "/id")
                assert told(counts) == (number, 0)
        async with asyncio.timeout(10):
            while told(counts) != (0, 0):
                await asyncio.sleep(0.02)
    other.close()
