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


async def nothing_is_underway(url: str) -> None:
    """Wait until all of this process have heard what was told before.

    They hear of what this process told at once, and some milliseconds later from PostgreSQL: what is found in between
    is taken for overtaken, and asked for again.
    """
    url = driver_url(url)
    connection = await asyncpg.connect(url)
    listening = [each for each in ear._ears if each.is_hearing and each._url == url]
    heard = {each: asyncio.Event() for each in listening}
    last = f"test {secrets.token_hex(8)}"
    waiting = {each: _when(last, event) for each, event in heard.items()}
    for each, forget in waiting.items():
        each.on_change(forget)
    try:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, last)
        async with asyncio.timeout(60):
            for event in heard.values():
                await event.wait()
    finally:
        connection.terminate()
        for each, forget in waiting.items():
            each._forgetting.remove(forget)


def _when(last: str, event: asyncio.Event) -> ear.Forget:
    def forget(subject: str | None) -> None:
        # None: it lost its connection, and has forgotten all.
        if subject in {last, None}:
            event.set()

    return forget
