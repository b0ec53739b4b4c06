"""What a plane remembers, made sure of: for tests that count what it asks of the database."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator

import asyncpg
import pytest

from berth.changes import ear
from berth.changes.ear import CHANNEL, Ear
from berth.database.db import driver_url


class PatientEar(Ear):
    """On a busy machine a second may pass without an answer; everything would be asked of the database again then."""

    hearing_seconds = 60.0


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """What is opened meanwhile has a patient ear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("berth.opening.Ear", PatientEar)
        yield


async def until_it_hears(listening: Ear) -> None:
    """From then on what is found is remembered."""
    while not listening.is_hearing:
        await asyncio.sleep(0.01)


async def nothing_is_underway(url: str) -> None:
    """Wait until all of this process have heard what was told before.

    They hear of what this process told at once, and some milliseconds later from PostgreSQL: what is found in between
    is taken for overtaken, and asked for again.
    """
    url = driver_url(url)
    last = f"test {secrets.token_hex(8)}"
    connection = await asyncpg.connect(url)
    try:
        with contextlib.ExitStack() as stack:
            listening = [each for each in ear._ears if each.is_hearing and each._url == url]
            heard = [stack.enter_context(_hearing(each, last)) for each in listening]
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, last)
            async with asyncio.timeout(60):
                for event in heard:
                    await event.wait()
    finally:
        connection.terminate()


@contextlib.contextmanager
def _hearing(listening: Ear, last: str) -> Iterator[asyncio.Event]:
    """What is set when it has heard `last`, or has lost its connection, and so forgotten all."""
    event = asyncio.Event()

    def hear(subject: str | None) -> None:
        if subject in {last, None}:
            event.set()

    listening.on_change(hear)
    try:
        yield event
    finally:
        listening._forgetting.remove(hear)
