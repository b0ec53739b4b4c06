"""What a process remembers is bounded, and never older than the changes that it has heard of."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from berth.changes import ear as ears
from berth.changes.cache import ENTRY_BYTES, Cache
from berth.changes.ear import HEARING_SECONDS, Ear
from berth.changes.moments import PLACE_BYTES, PLACES, Moments, place_of

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

URL = "postgresql://localhost/nowhere"


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear(URL)
    ear.hear_confirmed(time.monotonic() + 3600)
    yield ear
    ear.lose()


def keep(cache: Cache[str], key: str, subject: str = "one", size: int = 1) -> None:
    cache.keep(key, f"value of {key}", subject=subject, size=size, since=cache.moment)


def test_it_holds_no_more_than_so_many_bytes_and_lets_go_of_what_was_asked_for_longest_ago(ear: Ear) -> None:
    cache: Cache[str] = Cache(ear, 4 * (ENTRY_BYTES + 100))
    for key in ("a", "b", "c", "d"):
        keep(cache, key, size=100)
    assert cache.get("a") == "value of a"
    keep(cache, "e", size=100)
    assert [key for key in "abcde" if cache.get(key)] == ["a", "c", "d", "e"]
    keep(cache, "large", size=2 * ENTRY_BYTES)
    assert cache.get("large") is not None
    assert cache.bytes <= 4 * (ENTRY_BYTES + 100)


def test_what_is_larger_than_the_whole_is_not_kept_and_drives_nothing_out(ear: Ear) -> None:
    cache: Cache[str] = Cache(ear, 10_000)
    keep(cache, "a")
    keep(cache, "huge", size=10_000)
    assert cache.get("huge") is None
    assert cache.get("a") is not None


def test_an_entry_that_is_kept_again_counts_once(ear: Ear) -> None:
    cache: Cache[str] = Cache(ear, 1_000_000)
    keep(cache, "a", size=100)
    keep(cache, "a", subject="another", size=200)
    assert cache.bytes == ENTRY_BYTES + 200
    ear.hear("one")
    assert cache.get("a") is not None
    ear.hear("another")
    assert cache.get("a") is None
    assert cache.bytes == 0


def test_millions_of_findings_take_bounded_memory(ear: Ear) -> None:
    cache: Cache[str] = Cache(ear, 100 * ENTRY_BYTES)
    for number in range(10_000):
        keep(cache, f"key {number}", subject=f"subject {number}", size=0)
        ear.hear(f"gone {number}")
    assert len(cache._entries) == len(cache._of_subject) == 100


def test_a_finding_that_a_change_or_a_lost_connection_has_overtaken_is_not_kept(ear: Ear) -> None:
    cache: Cache[str] = Cache(ear, 1_000_000)
    before = cache.moment
    ear.hear("one")
    cache.keep("a", "value", subject="one", size=1, since=before)
    cache.keep("b", "value", subject="two", size=1, since=before)
    assert (cache.get("a"), cache.get("b")) == (None, "value")
    ear.lose()
    ear.hear_confirmed(time.monotonic())
    cache.keep("c", "value", subject="two", size=1, since=before)
    assert (cache.get("b"), cache.get("c")) == (None, None)


def test_nothing_is_given_or_kept_while_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("berth.changes.ear.time.monotonic", lambda: now)
    monkeypatch.setattr("berth.changes.moments.now", lambda: int(now * 1e9))
    ear = Ear(URL)
    cache: Cache[str] = Cache(ear, 1_000_000)
    keep(cache, "never")
    ear.hear_confirmed(now)
    assert cache.get("never") is None
    keep(cache, "a")
    now += HEARING_SECONDS - 0.01
    assert cache.get("a") is not None
    now += 0.02
    assert cache.get("a") is None
    keep(cache, "deaf")
    ear.hear_confirmed(now)
    assert cache.get("a") is not None, "all that changed meanwhile was heard"
    assert cache.get("deaf") is None
    ear.hear_confirmed(now - HEARING_SECONDS)
    assert cache.get("a") is None, "an answer that took long tells of the time when it was asked for"
    ear.lose()
    ear.hear_confirmed(now)
    assert cache.get("a") is None


def test_what_is_told_here_is_heard_here_by_all(ear: Ear) -> None:
    another = Ear(URL)
    another.hear_confirmed(time.monotonic())
    caches: list[Cache[str]] = [Cache(one, 1_000_000) for one in (ear, another)]
    for cache in caches:
        keep(cache, "a")
        keep(cache, "b", subject="two")
    ears.hear(["one"])
    assert [[cache.get("a"), cache.get("b")] for cache in caches] == [[None, "value of b"]] * 2


def test_processes_of_one_machine_know_at_once_what_each_of_them_changed(tmp_path: Path) -> None:
    here, there, elsewhere = Ear(URL, tmp_path), Ear(URL, tmp_path), Ear(URL)
    caches: list[Cache[str]] = [Cache(one, 1_000_000) for one in (here, there, elsewhere)]
    for one, cache in zip((here, there, elsewhere), caches, strict=True):
        one.hear_confirmed(time.monotonic())
        keep(cache, "a")
        keep(cache, "b", subject="two")
    overtaken = caches[1].moment
    here.hear("one")
    assert [[cache.get("a"), cache.get("b")] for cache in caches] == [
        [None, "value of b"],
        [None, "value of b"],
        ["value of a", "value of b"],
    ]
    caches[1].keep("c", "value", subject="one", size=1, since=overtaken)
    assert caches[1].get("c") is None


def test_where_nothing_can_be_shared_there_is_memory_of_its_own(tmp_path: Path) -> None:
    assert Moments(tmp_path).is_shared
    alone = Moments(tmp_path / "none")
    assert not alone.is_shared
    alone.note("one")
    assert alone.last(place_of("one")) > alone.last(place_of("two")) == 0
    link = tmp_path / "other"
    link.mkdir()
    (link / next(tmp_path.glob("changes-*")).name).symlink_to(tmp_path / "elsewhere")
    assert not Moments(link).is_shared, "nobody leads the process to another file"


def test_what_is_shared_has_its_room_on_the_disk_before_it_is_written_to(tmp_path: Path) -> None:
    """Else a full disk would kill the process that notes a change."""
    assert Moments(tmp_path).is_shared
    (file,) = tmp_path.glob("changes-*")
    assert file.stat().st_blocks * 512 >= file.stat().st_size == PLACES * PLACE_BYTES


def test_what_is_shared_stays_as_it_is_for_who_comes_later(tmp_path: Path) -> None:
    first = Moments(tmp_path)
    first.note("one")
    assert Moments(tmp_path).last(place_of("one")) == first.last(place_of("one")) > 0


@dataclass
class Reading:
    """A read under way: what it saw of the database when it began."""

    subject: str
    version: int
    moment: int


@dataclass
class Database:
    """A database where each change makes a new version, and the notices of it on their way to one process."""

    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys("ab", 0))
    notices: list[str] = field(default_factory=list)
    # When each version came to be.
    history: dict[str, list[float]] = field(default_factory=lambda: {subject: [0.0] for subject in "ab"})


class Interleavings(RuleBasedStateMachine):
    """Reads, changes, notices, heartbeats and lost connections, in any order: what is given is never too old."""

    @initialize()
    def begin(self) -> None:
        self.now = 1000.0
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("berth.changes.ear.time.monotonic", lambda: self.now)
        self.patch.setattr("berth.changes.moments.now", self.pass_a_moment)
        self.database = Database()
        self.ear = Ear(URL)
        self.cache: Cache[int] = Cache(self.ear, 2 * (ENTRY_BYTES + 1))
        self.reads: list[Reading] = []
        self.beat(0.0, "")

    def pass_a_moment(self) -> int:
        self.now += 1e-6
        return int(self.now * 1e9)

    def teardown(self) -> None:
        self.patch.undo()

    @rule(subject=st.sampled_from("ab"))
    def change(self, subject: str) -> None:
        self.database.versions[subject] += 1
        self.database.history[subject].append(self.now)
        self.database.notices.append(subject)

    @rule(subject=st.sampled_from("ab"))
    def begin_read(self, subject: str) -> None:
        self.reads.append(Reading(subject, self.database.versions[subject], self.cache.moment))

    @rule(subject=st.sampled_from("ab"))
    def read(self, subject: str) -> None:
        self.cache.keep(subject, self.database.versions[subject], subject=subject, size=1, since=self.cache.moment)

    @precondition(lambda self: self.reads)
    @rule(data=st.data())
    def end_read(self, data: st.DataObject) -> None:
        read = self.reads.pop(data.draw(st.integers(0, len(self.reads) - 1)))
        self.cache.keep(read.subject, read.version, subject=read.subject, size=1, since=read.moment)

    @precondition(lambda self: self.database.notices)
    @rule()
    def deliver(self) -> None:
        self.ear.hear(self.database.notices.pop(0))

    @rule(seconds=st.sampled_from((0.0, 0.9)), meanwhile=st.sampled_from(("", "a", "b")))
    def beat(self, seconds: float, meanwhile: str) -> None:
        """PostgreSQL answers after it has sent all notices; the answer takes a while."""
        sent_at = self.now
        while self.database.notices:
            self.deliver()
        if meanwhile:
            self.change(meanwhile)
        self.now += seconds
        self.ear.hear_confirmed(sent_at)

    @rule(seconds=st.sampled_from((0.4, 2.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(missed=st.sampled_from(("", "a", "b")))
    def break_connection(self, missed: str) -> None:
        self.ear.lose()
        if missed:
            self.change(missed)
        self.database.notices.clear()
        # Before anything counts again, once it listens.
        self.ear.lose()

    @invariant()
    def nothing_given_is_older_than_a_second(self) -> None:
        for subject, born in self.database.history.items():
            given = self.cache.get(subject)
            if given is not None and given < len(born) - 1:
                assert born[given + 1] > self.now - HEARING_SECONDS, (subject, given, born, self.now)

    @invariant()
    def it_is_bounded(self) -> None:
        assert self.cache.bytes <= 2 * (ENTRY_BYTES + 1)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=300, stateful_step_count=40)
