"""A collector that dies over a request which removes bytes from far away, and a push of the same bytes meanwhile.

Wherever it dies, and whenever the request arrives: the push is refused until that is settled, and never lost.
"""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from berth import collection, layers, repositories
from berth.database.db import Database
from berth.errors import LayersNotFound
from berth.layers import links
from berth.names import Digest
from berth.recovery import restoring
from berth.store.contract import StoreUnavailable
from tests.collection.late import LateStore
from tests.collection.place import AT_ONCE, LONG, NOW, Place, Windows, image_of
from tests.collection.stepping import Actor, SteppedDatabase

CONTENT = b"a layer"


@pytest.fixture
async def stepped(collected_url: str) -> AsyncIterator[Database]:
    database = SteppedDatabase(collected_url)
    yield database
    await database.close()


@dataclass
class Far:
    """A place whose store is far away."""

    place: Place
    store: LateStore
    stepped: Database

    async def collector(self) -> Actor:
        return await Actor.begin("collector", collection.collect(self.stepped, self.store, AT_ONCE))

    async def collector_at(self, where: str) -> Actor:
        collector = await self.collector()
        while where not in [at for at, _ in collector.stops]:
            assert not collector.is_done
            await collector.step()
        return collector

    async def push(self) -> bool:
        """Whether it was acknowledged."""
        try:
            await self.place.push("app", CONTENT)
        except StoreUnavailable:
            return False
        return True

    async def arrive(self) -> None:
        for request in list(self.store.sent):
            await self.store.arrive(request)

    async def pass_time(self, times: float = 1) -> None:
        """So much that a mark no longer stands for anything; twice as much, and a collection takes it."""
        await self.place.age(times * LateStore.settles_after)
        self.store.expire()

    async def is_whole(self) -> bool:
        return await self.place.is_whole("app", image_of(CONTENT))

    async def is_nothing_left(self) -> bool:
        """When all that there is was deleted, and the marks that were left are old."""
        await repositories.remove(self.place.database, self.place.registry, "app", force=True)
        await self.pass_time(2)
        await self.place.collect()
        return not await self.place.stored() and not await self.place.known()


@pytest.fixture
def far(place: Place, stepped: Database, monkeypatch: pytest.MonkeyPatch) -> Far:
    monkeypatch.setattr(links, "MARKED_SECONDS", 0.05)
    store = LateStore(place.store)
    place.store = store  # type: ignore[assignment]
    return Far(place, store, stepped)


async def test_who_pushes_waits_for_the_answer(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MARKED_SECONDS", 2.0)
    await far.place.make("app")
    await far.place.push_blob("app", CONTENT)
    collector = await far.collector_at("sent")
    pushing = await Actor.begin("push", far.place.push("app", CONTENT))
    await pushing.step()
    assert not pushing.is_done
    while not collector.is_done:
        await collector.step()
    await pushing.task
    assert await far.is_whole()
    assert not await far.place.collect()
    assert await far.is_nothing_left()


async def test_who_meets_the_mark_at_the_moment_of_the_removal_is_not_refused_for_long(far: Far) -> None:
    """It locks the row for that moment, so that the removal is not confirmed, nor sent: the mark stands for nothing."""
    await far.place.make("app")
    await far.place.push_blob("app", CONTENT)
    collector = await far.collector_at("signed")
    place = Place(far.stepped, far.store, far.place.registry)  # type: ignore[arg-type]
    push = await Actor.begin("push", place.push_blob("app", CONTENT))
    while "commit" not in [at for at, _ in push.stops]:
        await push.step()
    while collector.stops:
        await collector.step()
    await push.kill()
    while not collector.is_done:
        await collector.step()
    assert await far.place.stored() == {Digest.of(CONTENT)}
    assert await far.push()
    assert await far.is_nothing_left()


@pytest.mark.parametrize("arrives", ["before the push", "after the push", "when it has expired", "never"])
async def test_wherever_the_collector_dies_nothing_acknowledged_is_lost(far: Far, arrives: str) -> None:
    outcomes = set()
    for steps in itertools.count():
        await far.place.make("app")
        await far.place.push_blob("app", CONTENT)
        collector = await far.collector()
        for _ in range(steps):
            await collector.step()
        is_over = collector.is_done
        await collector.kill()
        outcomes.add(await pushed_after_all(far, arrives))
        assert await far.is_whole()
        assert not await far.place.collect()
        assert await far.is_whole()
        assert await far.is_nothing_left()
        if is_over:
            break
    assert outcomes == {True, False}
    assert steps > 10


async def pushed_after_all(far: Far, arrives: str) -> bool:
    """Push until it is acknowledged, while what the collector has sent arrives; return whether it was at once."""
    if arrives == "before the push":
        await far.arrive()
    is_at_once = await far.push()
    if arrives == "after the push":
        await far.arrive()
    if not is_at_once:
        assert not await far.place.collect(), "a mark of another one is left alone"
        assert not await far.push()
        await far.pass_time()
        assert await far.push()
    if arrives == "when it has expired":
        far.store.expire()
        await far.arrive()
    far.store.sent.clear()
    return is_at_once


async def test_who_was_held_up_before_it_was_sent_removes_nothing(far: Far) -> None:
    """As a machine that stood still: its request has expired, or its mark is no longer its own."""
    for where in ("signed", "about to remove", "sent"):
        await far.place.make("app")
        await far.place.push_blob("app", CONTENT)
        collector = await far.collector_at(where)
        await far.pass_time()
        assert await far.push()
        while not collector.is_done:
            await collector.step()
        assert await far.is_whole(), where
        assert await far.is_nothing_left()


async def test_who_was_held_up_too_long_removes_nothing_though_the_mark_is_still_its_own(far: Far) -> None:
    await far.place.make("app")
    await far.place.push_blob("app", CONTENT)
    collector = await far.collector_at("signed")
    await far.place.age(timedelta(minutes=3))
    while not collector.is_done:
        await collector.step()
    assert await far.place.stored() == {Digest.of(CONTENT)}
    assert await far.is_nothing_left()


async def test_a_later_collector_takes_a_mark_that_was_left_and_removes_again(far: Far) -> None:
    await far.place.make("app")
    await far.place.push_blob("app", CONTENT)
    await (await far.collector_at("about to remove")).kill()
    await far.pass_time()
    assert not await far.place.collect(), "first, whoever pushes has a while"
    await far.pass_time()
    assert (await far.place.collect()).blobs == 1
    assert await far.place.stored() == await far.place.known() == set()


async def test_a_mark_of_a_clock_that_was_set_back_keeps_nobody_off(far: Far) -> None:
    for work in (far.push, far.place.collect):
        await far.place.make("app")
        await far.place.push_blob("app", CONTENT)
        await (await far.collector_at("signed")).kill()
        await far.place.age(-timedelta(days=1))
        async with far.place.database.transaction() as connection:
            mine = links.layers.c.account == far.place.registry.account
            await connection.execute(update(links.layers).where(mine).values(unused_since=func.now()))
        assert await work()
        assert await far.is_nothing_left()


async def test_a_push_that_met_the_mark_and_gave_up_leaves_a_row_for_what_it_may_have_left(far: Far) -> None:
    await far.place.make("app")
    await far.place.push_blob("app", CONTENT)
    collector = await far.collector_at("removed")
    assert not await far.push()
    # A bucket has the bytes under their name before the row is held.
    await far.place.store_alone(CONTENT)
    while not collector.is_done:
        await collector.step()
    assert await far.place.known() == {Digest.of(CONTENT)}
    await far.place.collect()
    assert await far.place.stored() == await far.place.known() == set()


@pytest.mark.parametrize("of", ["mount", "restore"])
async def test_neither_a_mount_nor_a_restore_meets_a_mark(far: Far, of: str) -> None:
    """What they go out from is a need. So at each stop of a collection they succeed, or find nothing to go out from."""
    place = far.place
    windows = Windows(LONG, NOW) if of == "restore" else AT_ONCE
    outcomes = set()
    for steps in itertools.count():
        for name in ("app", "other"):
            await place.make(name)
        if of == "restore":
            await place.delete("app", await place.push("app", CONTENT))
        else:
            await place.push_blob("app", CONTENT)
        collector = await Actor.begin("collector", collection.collect(far.stepped, far.store, windows))
        for _ in range(steps):
            await collector.step()
        is_over = collector.is_done
        meanwhile = await Actor.begin("meanwhile", mounted(place) if of == "mount" else restored(place))
        await meanwhile.step()
        while not collector.is_done:
            await collector.step()
        name = await meanwhile.task
        outcomes.add(name)
        assert name is None or await place.is_whole(name, image_of(CONTENT))
        await repositories.remove(place.database, place.registry, "other", force=True)
        assert await far.is_nothing_left()
        if is_over:
            break
    assert steps > 10
    assert outcomes == ({"app"} if of == "restore" else {"other", None})


async def mounted(place: Place) -> str | None:
    """The repository in which the image is now, if it could be put there."""
    source, target = await place.repository("app"), await place.repository("other")
    if await layers.mount(place.database, source, target, Digest.of(CONTENT)):
        with contextlib.suppress(LayersNotFound):
            await place.put("other", image_of(CONTENT))
            return "other"
    return None


async def restored(place: Place) -> str:
    await restoring.restore(place.database, place.registry, "app", None)
    return "app"
