"""CPU seconds of a server, over all its processes, those that have ended too."""

from collections import defaultdict
from collections.abc import Callable

import psutil

Parts = dict[str, float]
"""CPU seconds by part of the server."""


class ProcessTree:
    """A server's processes: the one that was started, and all that come from it.

    Each counts with what it used and what its ended children had used when it reaped them (proc(5), `utime`, `stime`,
    `cutime`, `cstime`; hundredths of a second). A process that ends moves its time into its parent's, so the sum
    neither forgets a PostgreSQL backend nor counts it twice. One whose parent ended is followed on.
    """

    def __init__(self, root: int, name: Callable[[list[str]], str] | None = None) -> None:
        """`name` tells by its command line which part a child of `root` is; without it, all is one part."""
        self._root = psutil.Process(root)
        self._name = name
        self._parts: dict[psutil.Process, str] = {self._root: "up" if name else "server"}

    def processes(self) -> dict[psutil.Process, str]:
        """Those that live now, each with its part."""
        for child in _children(self._root, recursive=False):
            part = self._part(child)
            for process in (child, *_children(child, recursive=True)):
                self._parts.setdefault(process, part)
        self._parts = {process: part for process, part in self._parts.items() if process.is_running()}
        return dict(self._parts)

    def seconds(self) -> Parts:
        used: defaultdict[str, float] = defaultdict(float)
        for process, part in self.processes().items():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used[part] += times.user + times.system + times.children_user + times.children_system
        return dict(used)

    def _part(self, child: psutil.Process) -> str:
        if child in self._parts:
            return self._parts[child]
        if self._name is None:
            return "server"
        try:
            return self._name(child.cmdline())
        except psutil.NoSuchProcess:
            return "up"


def used_between(before: Parts, after: Parts) -> Parts:
    return {part: after.get(part, 0.0) - before.get(part, 0.0) for part in before | after}


def busy_seconds() -> float:
    """CPU seconds of the whole machine that were not idle."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _children(process: psutil.Process, *, recursive: bool) -> list[psutil.Process]:
    try:
        return process.children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []
