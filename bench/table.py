"""The figures for people, and for programs as JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.measuring import Result
from bench.peers.peer import Peer
from bench.samples import GIB, MIB
from bench.works.work import Unit

SECTIONS = {
    "API": "ECR API, signed requests on keep-alive connections",
    "small": "Registry, small requests on keep-alive connections",
    "lists": "Registry, pages of lists on keep-alive connections",
    "layers": "Registry, layers of 100 MiB",
}
# The least share of the CPU time that a part of a server is named for.
TELLING = 0.02
HEADINGS = {
    Unit.REQUEST: ("CPU/request", "requests/s"),
    Unit.IMAGE: ("CPU/image", "images/s"),
    Unit.GIB: ("CPU/GiB", "MiB/s"),
}


def lines(results: list[Result]) -> Iterable[str]:
    """A table for each section: the median of the rounds, and behind that of CPU the least and the most."""
    for section, title in SECTIONS.items():
        of_section = [result for result in results if result.work.section == section]
        if not of_section:
            continue
        yield f"\n{title}"
        works = dict.fromkeys(result.work for result in of_section)
        for work in works:
            cpu, rate = HEADINGS[work.unit]
            yield f"\n  {work.title:<52}{cpu:>12}  {'rounds':<19}{rate:>11}"
            of_work = [result for result in of_section if result.work is work]
            for result in of_work:
                yield _line(result)


def _line(result: Result) -> str:
    name = f"    {result.peer.name}"
    if result.failure:
        return f"{name:<54}failed: {result.failure}"
    each = [one.cpu_each for one in result.rounds]
    spread = f"{_cpu(min(each), result)}–{_cpu(max(each), result)}"
    bound = "≥" if result.is_client_bound else ""
    wrong = f"  {result.wrong} wrong answers" if result.wrong else ""
    return (
        f"{name:<54}{_cpu(result.cpu_each, result):>12}  {spread:<19}{bound + _rate(result):>11}{_parts(result)}{wrong}"
    )


def _cpu(seconds: float, result: Result) -> str:
    if result.work.unit is Unit.GIB:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def _rate(result: Result) -> str:
    return f"{result.per_second * GIB / MIB if result.work.unit is Unit.GIB else result.per_second:,.0f}"


def _parts(result: Result) -> str:
    """What each part of Berth used, where it counts."""
    names = dict.fromkeys(name for one in result.rounds for name in one.cpu)
    if len(names) < 2:
        return ""
    shares = sorted(((result.part(name), name) for name in names), reverse=True)
    telling = [f"{name} {_cpu(share, result)}" for share, name in shares if share > TELLING * result.cpu_each]
    return f"   {', '.join(telling)}"


def at_rest(peer: Peer) -> Iterable[str]:
    yield f"\n{peer.name} at rest; ready {peer.start_seconds:.2f} s after its second start"
    yield f"  {'part':<20}{'processes':>10}{'RSS of the largest':>20}{'PSS of all':>14}"
    for memory in peer.at_rest:
        yield f"  {memory.part:<20}{memory.processes:>10}{memory.rss:>16.0f} MiB{memory.pss:>10.0f} MiB"
    processes, pss = sum(it.processes for it in peer.at_rest), sum(it.pss for it in peer.at_rest)
    yield f"  {'all':<20}{processes:>10}{'':>20}{pss:>10.0f} MiB"


def elsewhere(results: list[Result]) -> float:
    """Cores that other programs kept busy: the median over all rounds."""
    shares = [one.other_cpu / one.seconds for result in results for one in result.rounds]
    return median(shares) if shares else 0.0


def as_json(results: list[Result], peers: list[Peer], **further: Any) -> dict[str, Any]:
    """Every round of every result, unrounded: seconds, and requests, images or GiB."""
    return {
        **further,
        "peers": [
            {
                "name": peer.name,
                "terms": peer.terms,
                "start_seconds": peer.start_seconds,
                "memory_mib": [asdict(memory) for memory in peer.at_rest],
            }
            for peer in peers
        ],
        "results": [
            {
                "section": result.work.section,
                "work": result.work.name,
                "unit": result.work.unit.value,
                "connections": result.work.connections,
                "peer": result.peer.name,
                "failure": result.failure or None,
                "cpu_seconds_each": result.cpu_each if result.rounds else None,
                "per_second": result.per_second if result.rounds else None,
                "rounds": [asdict(one) for one in result.rounds],
            }
            for result in results
        ],
    }
