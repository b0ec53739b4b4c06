"""Nothing that is counted is lost, whatever is taken, put back or kept meanwhile; and memory is bounded."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from berth.audit import AuditLog
from berth.audit.counting import Counted
from tests.unit.audit.samples import ALLOWED, REFUSED, how, ruled

MOST_BYTES = 8 * 1024
# Those that are remembered are the same objects each time, as with Permits.
REMEMBERED = [ruled(f"remembered {number}", is_remembered=True) for number in range(3)]
AGENTS = st.sampled_from([None, "docker", "x" * 300, "x" * 300 + "y"])


def numbers(counted: Counted) -> Counter[bool]:
    """How many requests were allowed, and how many refused."""
    found: Counter[bool] = Counter()
    for entry in counted.entries.values():
        found[entry.ruled.decision.allowed] += entry.requests
    for beyond in counted.beyond.values():
        found[True] += beyond.allowed
        found[False] += beyond.refused
    return found


class Counting(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.audit = AuditLog(most_bytes=MOST_BYTES)
        self.asked: Counter[bool] = Counter()
        self.kept: Counter[bool] = Counter()
        self.taken: list[Counted] = []

    @rule(number=st.integers(0, 12), refused=st.booleans(), agent=AGENTS)
    def asks(self, number: int, refused: bool, agent: str | None) -> None:
        self.asked[not refused] += 1
        what = ruled(str(number), REFUSED if refused else ALLOWED, more={"aws:tagkeys": ("a", "b")})
        self.audit.count(what, how(user_agent=agent))

    @rule(what=st.sampled_from(REMEMBERED), agent=AGENTS)
    def asks_again(self, what: object, agent: str | None) -> None:
        self.asked[True] += 1
        assert what in REMEMBERED
        it = next(each for each in REMEMBERED if each is what)
        if not self.audit.again(it, "10.0.0.7", True, None, agent, None):
            self.audit.count(it, how(user_agent=agent))

    @rule()
    def is_taken(self) -> None:
        self.taken.append(self.audit.take())

    @rule(is_kept=st.booleans(), as_numbers=st.booleans())
    def is_kept_or_put_back(self, is_kept: bool, as_numbers: bool) -> None:
        if not self.taken:
            return
        counted = self.taken.pop()
        if is_kept:
            self.kept += numbers(counted)
        else:
            self.audit.put_back(counted.as_numbers() if as_numbers else counted)

    @invariant()
    def nothing_is_lost(self) -> None:
        waiting = self.audit._counted
        found = sum((numbers(each) for each in [waiting, *self.taken]), self.kept + Counter())
        assert found == self.asked

    @invariant()
    def memory_is_bounded(self) -> None:
        sizes = [entry.size for entry in self.audit._counted.entries.values()]
        assert sum(sizes) == self.audit._bytes <= MOST_BYTES


TestCounting = Counting.TestCase


def test_requests_that_are_alike_are_one_entry_and_others_are_not() -> None:
    audit = AuditLog()
    for _ in range(3):
        audit.count(ruled(), how())
    for other in (
        ruled("another"),
        ruled(decision=REFUSED),
        ruled(action="ecr:PutImage"),
        ruled(policies_of="arn"),
        ruled(more={"aws:requesttag/team": "one"}),
    ):
        audit.count(other, how())
    for came in (
        how(source_ip="10.0.0.8"),
        how(secure=False),
        how(vpc_endpoint="vpce-1"),
        how(user_agent="docker"),
        how(referer="http://x"),
    ):
        audit.count(ruled(), came)
    entries = audit.take().entries
    assert sorted(entry.requests for entry in entries.values()) == [1] * 10 + [3]


def test_the_first_and_the_last_moment_are_known() -> None:
    audit, what = AuditLog(), ruled(is_remembered=True)
    audit.count(what, how())
    (entry,) = audit._counted.entries.values()
    entry.first_at = entry.last_at = 1.0
    assert audit.again(what, "10.0.0.7", True, None, None, None)
    assert (entry.first_at, entry.requests) == (1.0, 2)
    assert entry.last_at > 1.0
    taken = audit.take()
    audit.count(what, how())
    audit.put_back(taken)
    (entry,) = audit.take().entries.values()
    assert (entry.first_at, entry.requests) == (1.0, 3)


def test_where_it_is_off_nothing_is_counted() -> None:
    audit, what = AuditLog(is_on=False), ruled(is_remembered=True)
    audit.count(what, how())
    assert audit.again(what, "10.0.0.7", True, None, None, None), "there is nothing more to do"
    assert not audit.take()
