"""Rounds of every work, the servers taking turns: A, B, C, A, B, C, …"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median

from bench.cpu import Parts, busy_seconds, used_between
from bench.peers.peer import Peer
from bench.samples import GIB
from bench.wire import AnswerBroken
from bench.works.work import Pace, Unit, Work

# A server may go on working for a moment after its last answer; that counts too.
SETTLING_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class Round:
    """What one server did in one round."""

    # Requests, images or GiB.
    done: float
    # Answers with another status than expected.
    wrong: int
    seconds: float
    # The server's, by its parts.
    cpu: Parts
    # CPU seconds of the bench itself, and of all else on the machine: of a share of the cores the server was deprived.
    client_cpu: float
    other_cpu: float

    @property
    def cpu_each(self) -> float:
        """CPU seconds of the server for each request, image or GiB."""
        return sum(self.cpu.values()) / self.done

    @property
    def per_second(self) -> float:
        return self.done / self.seconds


@dataclass(slots=True)
class Result:
    """All rounds of one server at one work."""

    work: Work
    peer: Peer
    rounds: list[Round] = field(default_factory=list)
    failure: str = ""

    @property
    def cpu_each(self) -> float:
        return median(one.cpu_each for one in self.rounds)

    @property
    def per_second(self) -> float:
        return median(one.per_second for one in self.rounds)

    @property
    def wrong(self) -> int:
        return sum(one.wrong for one in self.rounds)

    @property
    def is_client_bound(self) -> bool:
        """Whether the bench was so busy that the server may have waited for it."""
        return median(one.client_cpu / one.seconds for one in self.rounds) > 0.9

    def part(self, name: str) -> float:
        """CPU seconds of one part of the server for each unit."""
        return median(one.cpu.get(name, 0.0) / one.done for one in self.rounds)


def measure(works: Iterable[Work], peers: list[Peer], pace: Pace, tell: Callable[[Work], None]) -> list[Result]:
    """A server that fails at a work is left out of its further rounds; the result says why."""
    results = []
    for work in works:
        tell(work)
        of_work = [Result(work, peer) for peer in peers if work.suits(peer)]
        for result in of_work:
            _attempt(result, lambda result: result.work.prepare(result.peer))
        for _ in range(pace.rounds):
            for result in of_work:
                _attempt(result, lambda result: result.rounds.append(_round(result, pace)))
        results += of_work
    return results


def _attempt(result: Result, step: Callable[[Result], None]) -> None:
    if result.failure:
        return
    try:
        step(result)
    except (AnswerBroken, OSError, ValueError, KeyError) as error:
        result.failure = f"{type(error).__name__}: {error}"[:200]


def _round(result: Result, pace: Pace) -> Round:
    run = result.work.round(result.peer, pace)
    cpu, client, busy = result.peer.tree.seconds(), _own_seconds(), busy_seconds()
    load = run()
    own = _own_seconds() - client
    time.sleep(SETTLING_SECONDS)
    used = used_between(cpu, result.peer.tree.seconds())
    others = max(0.0, busy_seconds() - busy - sum(used.values()) - (_own_seconds() - client))
    if not load.done:
        raise AnswerBroken("it answered nothing")
    done = load.done / GIB if result.work.unit is Unit.GIB else load.done
    return Round(done, load.wrong, load.seconds, used, own, others)


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system
