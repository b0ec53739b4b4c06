"""A collector that is overtaken or killed while it removes bytes, and a push that dies over its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from berth import collection
from berth.collection import removing
from berth.database.db import Database, DatabaseUnavailable
from tests.collection.place import AT_ONCE, Place
from tests.collection.stepping import BACKEND, Actor, SteppedDatabase, SteppedStore

CONTENT = b"a layer"


@pytest.fixture
async def stepped(collected_url: str) -> AsyncIterator[Database]:
    database = SteppedDatabase(collected_url)
    yield database
    await database.close()


async def collector_at(place: Place, stepped: Database, where: str) -> Actor:
    """A collector that is about to remove what was pushed, and stops there."""
    await place.make("app")
    await place.push_blob("app", CONTENT)
    work = collection.collect(stepped, SteppedStore(place.store), AT_ONCE)
    actor = await Actor.begin("collector", work)
    while where not in [at for at, _ in actor.stops]:
        assert not actor.is_done
        await actor.step()
    return actor


async def finish(actor: Actor) -> None:
    while not actor.is_done:
        await actor.step()
    actor.task.result()


async def until_gone(place: Place, pid: int | None) -> None:
    """A backend notices some time after that its client is gone, and has its locks until then."""
    assert pid
    async with asyncio.timeout(20), place.database.reading() as connection:
        while await connection.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": pid}):
            await asyncio.sleep(0.01)


async def test_it_removes_nothing_that_was_pushed_since(place: Place, stepped: Database) -> None:
    collector = await collector_at(place, stepped, "remove")
    image = await place.push("app", CONTENT)
    await finish(collector)
    assert await place.is_whole("app", image)


async def test_it_gives_up_a_connection_that_is_silent(
    place: Place, stepped: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than hold the lock of the store, for which who pushes waits, as long as a statement may take."""
    monkeypatch.setattr(removing, "CONFIRM_SECONDS", 0.1)
    collector = await collector_at(place, stepped, "remove")
    # It is used again for the next question.
    silent = (await stepped.ask(BACKEND))[0]["pid"]
    os.kill(silent, signal.SIGSTOP)
    try:
        async with asyncio.timeout(20):
            with pytest.raises(DatabaseUnavailable):
                await finish(collector)
    finally:
        os.kill(silent, signal.SIGCONT)
    assert len(await place.stored()) == 1
    await place.push("app", CONTENT)


async def test_who_pushes_waits_until_it_has_removed_what_it_may(place: Place, stepped: Database) -> None:
    collector = await collector_at(place, stepped, "about to remove")
    pushing = asyncio.create_task(place.push("app", CONTENT))
    await asyncio.sleep(0.2)
    assert not pushing.done()
    await finish(collector)
    assert await place.is_whole("app", await pushing)
    assert not await place.collect()


async def test_bytes_of_a_push_that_dies_are_found_whatever_was_collected_before(
    place: Place, stepped: Database
) -> None:
    await place.make("app")
    pushing = Place(stepped, SteppedStore(place.store), place.registry).push_blob("app", CONTENT)
    push = await Actor.begin("push", pushing)
    while not await place.known():
        await push.step()
    # Its note goes, so that it has to make another one before the bytes get their name.
    await place.collect()
    while "placed" not in [at for at, _ in push.stops]:
        await push.step()
    pid = push.pid
    await push.kill()
    await until_gone(place, pid)
    assert await place.stored() != set()
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_what_it_has_removed_is_forgotten_by_the_next_one(place: Place, stepped: Database) -> None:
    collector = await collector_at(place, stepped, "removed")
    await collector.kill()
    assert await place.stored() == set()
    assert await place.known() != set()
    await place.collect()
    assert await place.known() == set()
