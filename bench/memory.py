"""The memory of a server's processes."""

from dataclasses import dataclass

import psutil

from bench.cpu import ProcessTree
from bench.samples import MIB


@dataclass(slots=True)
class Memory:
    """Of the processes that are one part of a server."""

    part: str
    processes: int = 0
    # The largest one's resident set, in MiB.
    rss: float = 0.0
    # Over all of them: shared pages divided among those who share them, in MiB.
    pss: float = 0.0


def at_rest(tree: ProcessTree) -> list[Memory]:
    found: dict[str, Memory] = {}
    for process, part in tree.processes().items():
        try:
            told = process.memory_full_info()
        except psutil.Error:
            continue
        memory = found.setdefault(part, Memory(part))
        memory.processes += 1
        memory.rss = max(memory.rss, told.rss / MIB)
        memory.pss += told.pss / MIB
    return list(found.values())
