"""Pushes, mounts, deletes, restores and collections in every order of their steps, killed and cut off in between.

At each moment every image that is there is whole, and every deleted one that can come back; what was acknowledged is
there; and when all is over and collected, nothing is left that nobody needs, neither rows nor files.

BERTH_TEST_SCHEDULES sets how many schedules are tried, BERTH_TEST_SCHEDULE_STEPS how long each is.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from sqlalchemy import text

from berth import collection, images, layers, repositories
from berth.collection import Windows
from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question
from berth.errors import EcrError, RepositoryNotFound
from berth.layers import links
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.recovery import restoring
from berth.recovery.choosing import CannotRestore
from berth.store.contract import StoreUnavailable, UploadBusy
from berth.store.filesystem import FilesystemStore
from tests.collection.late import LateStore
from tests.collection.place import AT_ONCE, LONG, NOW, Place, image_of, index_of
from tests.collection.stepping import Actor, SteppedDatabase, SteppedStore

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

SCHEDULES = int(os.environ.get("BERTH_TEST_SCHEDULES", "15"))
STEPS = int(os.environ.get("BERTH_TEST_SCHEDULE_STEPS", "120"))
PROFILE = hypothesis.settings(
    max_examples=SCHEDULES,
    phases=[Phase.generate, *([Phase.shrink] if os.environ.get("BERTH_TEST_SCHEDULE_SHRINK") else [])],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MOST_ACTORS = 4
NAMES = ("app", "other")
CONTENTS = (b"{}", b"base", b"top")
IMAGES = (image_of(*CONTENTS[:2]), image_of(*CONTENTS), image_of(CONTENTS[0], CONTENTS[2]))
INDEXES = (index_of(IMAGES[0]),)
ALL = (*IMAGES, *INDEXES)
TAGS = ("v1", "v2")
# What an actor may come to besides its end; and where it was cut off, that the database is not there.
REFUSALS = (EcrError, CannotRestore, UploadBusy, asyncio.CancelledError)
FAR_REFUSALS = (*REFUSALS, StoreUnavailable)
AGE_MARKS = text(
    "UPDATE layers SET removing_since = removing_since - CAST(:by AS interval),"
    " unused_since = unused_since - CAST(:by AS interval) WHERE (account, region, digest) IN (SELECT account, region,"
    " digest FROM layers WHERE account = :account AND removing_since IS NOT NULL FOR UPDATE SKIP LOCKED)"
)
# Each image and deleted image with each layer that it needs, and whether the image's repository does not hold that.
NEEDED = Question(
    text(
        "SELECT images.digest, referenced, NOT EXISTS (SELECT FROM repository_layers held"
        " WHERE held.repository_id = repositories.id AND held.digest = referenced) AS is_unheld"
        " FROM repositories JOIN images ON repository_id = repositories.id"
        " JOIN image_references USING (repository_id, digest) WHERE account = :account AND kind = 'layer'"
        " UNION ALL SELECT digest || ' ' || deleted_images.id, referenced, false FROM deleted_images"
        " JOIN deleted_image_references ON deleted_image_id = deleted_images.id"
        " WHERE account = :account AND kind = 'layer'"
    )
)
THERE = Question(
    text(
        "SELECT name, digest FROM repositories JOIN images ON repository_id = repositories.id WHERE account = :account"
    )
)
HELD = Question(
    text(
        "SELECT name, digest FROM repositories JOIN repository_layers ON repository_id = repositories.id"
        " WHERE account = :account"
    )
)

some_name = st.sampled_from(NAMES)
some_image = st.sampled_from(range(len(IMAGES)))
some_of_all = st.sampled_from(range(len(ALL)))
some_content = st.sampled_from(CONTENTS)


class World:
    """One registry, its actors, and what they were told."""

    def __init__(self, stepped: Place, plain: Place) -> None:
        self.stepped, self.plain = stepped, plain
        self.actors: list[Actor] = []
        # Images whose push was acknowledged, and whose deletion nobody has begun since.
        self.acknowledged: set[tuple[str, str]] = set()
        # Where it is far away, what removes bytes may arrive late.
        self.far = plain.store if isinstance(plain.store, LateStore) else None
        self.was_cut = False
        self.deletions_begun = self.deletions_ended = 0

    async def push_(self, name: str, image: int, tag: str | None) -> None:
        manifest = IMAGES[image]
        for content in CONTENTS:
            digest = Digest.of(content)
            if digest not in {blob.digest for blob in manifest.blobs}:
                continue
            place = self.stepped
            found = await layers.find_all(place.database, place.registry, name, [digest])
            if not await layers.keep(place.database, found):
                await place.push_blob(name, content)
        await self.put_(name, image, tag)

    async def put_(self, name: str, which: int, tag: str | None) -> None:
        with self._acknowledging(name) as acknowledged:
            await self.stepped.put(name, ALL[which], *([tag] if tag else []))
            acknowledged.append(ALL[which].digest)

    @contextlib.contextmanager
    def _acknowledging(self, name: str) -> Iterator[list[str]]:
        """Images that are there at the end, unless somebody deletes something meanwhile."""
        acknowledged: list[str] = []
        begun = self.deletions_begun if self.deletions_begun == self.deletions_ended else -1
        yield acknowledged
        if begun == self.deletions_begun:
            self.acknowledged |= {(name, digest) for digest in acknowledged}

    @contextlib.contextmanager
    def _deleting(self, name: str, digest: str | None = None) -> Iterator[None]:
        """From here on it is for others to say whether the image (or any) is there."""
        self.deletions_begun += 1
        self.acknowledged -= {one for one in self.acknowledged if one[0] == name and digest in (None, one[1])}
        try:
            yield
        finally:
            self.deletions_ended += 1

    async def delete_(self, name: str, which: int) -> None:
        repository = await self.stepped.repository(name)
        with self._deleting(name, ALL[which].digest):
            await images.remove(self.stepped.database, repository, ALL[which].digest)

    async def untag_(self, name: str, tag: str) -> None:
        repository = await self.stepped.repository(name)
        with self._deleting(name):
            await images.untag(self.stepped.database, repository, Tag(tag))

    async def unlink_(self, name: str, content: bytes) -> None:
        await layers.unlink(self.stepped.database, await self.stepped.repository(name), Digest.of(content))

    async def mount_(self, names: tuple[str, str], content: bytes) -> None:
        place, (source, target) = self.stepped, names
        await layers.mount(
            place.database, await place.repository(source), await place.repository(target), Digest.of(content)
        )

    async def copy_(self, source: str, target: str, which: int) -> None:
        """Mount what the image needs, and put it there."""
        for content in CONTENTS[:2]:
            await self.mount_((source, target), content)
        await self.put_(target, which, None)

    async def replace_(self, name: str) -> None:
        """Delete the repository, and make another of its name."""
        place = self.stepped
        with self._deleting(name):
            await repositories.remove(place.database, place.registry, name, force=True)
        await place.make(name)

    async def restore_(self, name: str, which: int | None) -> None:
        wanted = None if which is None else [ALL[which].digest]
        with self._acknowledging(name) as acknowledged:
            restored = await restoring.restore(self.stepped.database, self.stepped.registry, name, wanted)
            acknowledged += [one.digest for one in restored]

    async def collect_(self, windows: Windows) -> None:
        await collection.collect(self.stepped.database, self.stepped.store, windows)

    async def begin(self, do: str, *given: Any) -> None:
        """One more begins, unless there are enough: then the first one goes on."""
        if len(self.actors) < MOST_ACTORS:
            self.actors.append(await Actor.begin(f"{do} {given}", getattr(self, f"{do}_")(*given)))
        else:
            await self.one("step", 0, 5, 0)

    async def one(self, do: str, number: int, *given: int) -> None:
        """Something becomes of one of those who are at work."""
        if self.actors:
            await getattr(self, do)(self.actors[number % len(self.actors)], *given)

    async def step(self, actor: Actor, steps: int, which: int) -> None:
        for _ in range(steps):
            await actor.step(which)
            await self.look()
            if actor.is_done or not actor.stops:
                return

    async def kill(self, actor: Actor) -> None:
        await actor.kill()
        await self.look()

    async def cut(self, actor: Actor) -> None:
        """End its connection; it may be about to remove or to place something all the same."""
        if actor.pid is None:
            return
        self.was_cut = actor.is_cut = True
        async with self.plain.database.reading() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": actor.pid})

    async def arrive(self, number: int) -> None:
        """Something that was sent to the store comes there, whether or not anybody waits for it."""
        if self.far and self.far.sent:
            await self.far.arrive(self.far.sent[number % len(self.far.sent)])
            await self.look()

    async def pass_time(self) -> None:
        """So much that what was sent is refused, and a mark no longer stands for anything."""
        if self.far:
            self.far.expire()
            await self._age_marks(LateStore.settles_after)

    async def _age_marks(self, by: timedelta) -> None:
        async with self.plain.database.reading() as connection:
            await connection.execute(AGE_MARKS, {"account": self.plain.registry.account, "by": by})

    async def look(self) -> None:
        """Check that what is there is whole."""
        self._settle()
        before = await self._rows(NEEDED)
        files = await self.plain.stored()
        after = await self._rows(NEEDED)
        needed = {(image, layer) for image, layer, _ in before} & {(image, layer) for image, layer, _ in after}
        lost = {(image, layer) for image, layer in needed if layer not in files}
        assert not lost, f"bytes are lost: {lost}; {self._where()}"
        unheld = [row for row in after if row[2]]
        assert not unheld, f"layers are not held: {unheld}; {self._where()}"

    def _settle(self) -> None:
        for actor in [actor for actor in self.actors if actor.is_done]:
            self.actors.remove(actor)
            if actor.task.cancelled():
                continue
            error = actor.task.exception()
            expected = (FAR_REFUSALS if self.far else REFUSALS) + ((DatabaseUnavailable,) if actor.is_cut else ())
            assert error is None or isinstance(error, expected), f"{actor.name}: {error!r}; {self._where()}"

    def _where(self) -> str:
        return ", ".join(f"{actor.name} at {[where for where, _ in actor.stops]}" for actor in self.actors)

    async def end(self) -> None:
        """Let everybody finish; then nothing is lost, and nothing is left."""
        for _ in range(2000):
            if not self.actors:
                break
            for actor in list(self.actors):
                await actor.step()
            self._settle()
        assert not self.actors, f"they do not come to an end: {self._where()}"
        await self.look()
        there = {*await self._rows(THERE)}
        assert self.acknowledged <= there
        if self.far:
            self.far.expire()
            await self._age_marks(2 * LateStore.settles_after)
        if self.was_cut:
            await collection.sweep(self.plain.database, self.plain.store)
        await self.plain.collect(AT_ONCE)
        needed = {layer for _, layer, _ in await self._rows(NEEDED)}
        assert await self.plain.deleted() == set()
        assert await self.plain.stored() == await self.plain.known() == needed
        blobs = {image.digest: {blob.digest for blob in image.blobs} for image in ALL}
        assert {*await self._rows(HELD)} == {(name, blob) for name, image in there for blob in blobs[image]}
        for name, digest in there:
            assert await self.plain.is_whole(name, next(one for one in ALL if one.digest == digest))

    async def clear(self) -> None:
        for actor in self.actors:
            await actor.kill()
        for name in NAMES:
            # Who was to make another of its name may have been killed before that.
            with contextlib.suppress(RepositoryNotFound):
                await repositories.remove(self.plain.database, self.plain.registry, name, force=True)
        if self.far:
            await self._age_marks(2 * LateStore.settles_after)
        await self.plain.collect(AT_ONCE)

    async def _rows(self, question: Question) -> list[tuple[Any, ...]]:
        rows = await self.plain.database.ask(question, account=self.plain.registry.account)
        return [tuple(row) for row in rows]


begins = st.one_of(
    st.tuples(st.just("push"), some_name, some_image, st.sampled_from([None, *TAGS])),
    st.tuples(st.just("push"), some_name, some_image, st.none()),
    st.tuples(st.just("put"), some_name, some_of_all, st.none()),
    st.tuples(st.just("delete"), some_name, some_of_all),
    st.tuples(st.just("untag"), some_name, st.sampled_from(TAGS)),
    st.tuples(st.just("unlink"), some_name, some_content),
    st.tuples(st.just("mount"), st.permutations(NAMES), some_content),
    st.tuples(st.just("replace"), some_name),
    st.tuples(st.just("restore"), some_name, st.none() | some_of_all),
    st.tuples(st.just("collect"), st.sampled_from([AT_ONCE, AT_ONCE, Windows(NOW, LONG), Windows(LONG, NOW)])),
)
some_actor = st.integers(0, MOST_ACTORS - 1)
steps = st.tuples(st.just("step"), some_actor, st.sampled_from([1, 1, 2, 3, 5, 8, 100]), st.integers(0, 3))
ends = st.tuples(st.sampled_from(["kill", "cut"]), some_actor)
from_afar = st.one_of(
    st.tuples(st.just("arrive"), some_actor), st.tuples(st.just("arrive"), some_actor), st.tuples(st.just("pass_time"))
)
# Which of these comes next: mostly a step.
some_do = st.integers(0, 20).flatmap(
    lambda luck: from_afar if luck == 20 else ends if luck == 19 else begins if luck > 12 else steps
)
scripts = st.lists(some_do, min_size=STEPS, max_size=STEPS)


async def make_world(collected: Database, stepped: Database, folder: Path, *, is_far: bool = False) -> World:
    registry = Registry(f"{secrets.randbelow(10**12):012}", "us-east-1")
    store = LateStore(FilesystemStore(folder)) if is_far else FilesystemStore(folder)
    plain = Place(collected, store, registry)
    for name in NAMES:
        await plain.make(RepositoryName(name))
    return World(Place(stepped, SteppedStore(store), registry), plain)


async def play(world: World, script: list[Any]) -> None:
    try:
        for do, *given in script:
            if do in ("arrive", "pass_time"):
                await getattr(world, do)(*given)
            else:
                await (world.one(do, *given) if do in ("step", "kill", "cut") else world.begin(do, *given))
        await world.end()
    finally:
        await world.clear()


@pytest.fixture
async def stepped(collected_url: str) -> AsyncIterator[Database]:
    database = SteppedDatabase(collected_url, pool=2 * MOST_ACTORS)
    yield database
    await database.close()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "work",
    [
        ("push", "app", 1, "v1"),
        ("put", "app", 0, None),
        ("copy", "app", "other", 0),
        ("restore", "app", None),
        ("delete", "app", 2),
        ("unlink", "app", CONTENTS[1]),
        ("replace", "app"),
        ("collect", AT_ONCE),
    ],
    ids=lambda work: str(work[0]),
)
@pytest.mark.parametrize("is_collector_stopped", [True, False], ids=["in a collection", "a collection in it"])
async def test_all_of_one_thing_between_two_steps_of_another(
    collected: Database, stepped: Database, tmp_path: Path, work: Any, is_collector_stopped: bool
) -> None:
    """At each stop, one after the other, all of something else is done, as far as the locks let it."""
    stopped, other = (("collect", AT_ONCE), work) if is_collector_stopped else (work, ("collect", AT_ONCE))
    is_over = False
    for steps_before in itertools.count():
        if is_over:
            break
        world = await make_world(collected, stepped, tmp_path)
        try:
            for content in CONTENTS:
                await world.plain.push_blob("app", content)
            await world.plain.put("app", IMAGES[2])
            await world.plain.put("app", IMAGES[1], "v2")
            await world.plain.delete("app", IMAGES[1])
            await world.begin(*stopped)
            for _ in range(steps_before):
                await world.one("step", 0, 1, 0)
            is_over = not world.actors
            await world.begin(*other)
            await world.one("step", len(world.actors) - 1, 100, 0)
            await world.end()
        finally:
            await world.clear()
    assert steps_before > 3


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("is_far", [False, True], ids=["near", "far"])
@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_lost_and_nothing_is_left(
    collected: Database, stepped: Database, tmp_path: Path, seed: int, is_far: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MARKED_SECONDS", 0.05)
    loop = asyncio.get_running_loop()

    @hypothesis.seed(seed)
    @PROFILE
    @hypothesis.given(scripts)
    def check(script: list[Any]) -> None:
        async def run() -> None:
            await play(await make_world(collected, stepped, tmp_path, is_far=is_far), script)

        asyncio.run_coroutine_threadsafe(run(), loop).result(300)

    await asyncio.to_thread(check)
