"""Several processes that accept from the same sockets: who has how many connections.

Whoever wakes first would take most of them: the kernel wakes all, and the first takes what there is. So each tells
its number in memory that all share, and whoever has more than another waits a moment before it takes one more.
"""

import mmap
import struct

COUNT = struct.Struct("=I")


class Share:
    """The counts of `processes` processes, in the file of `descriptor`; ours is the one at `number`, from 0 on."""

    def __init__(self, descriptor: int, number: int, processes: int) -> None:
        self._counts = mmap.mmap(descriptor, COUNT.size * processes)
        self._number = number
        self._processes = processes
        self.tell(0)

    def tell(self, connections: int) -> None:
        """Note how many connections this process has, until it takes no more."""
        if self._counts.closed:
            return
        COUNT.pack_into(self._counts, COUNT.size * self._number, connections)

    def is_ahead(self) -> bool:
        """Whether another process has fewer connections than this one."""
        counts: tuple[int, ...] = struct.unpack_from(f"={self._processes}I", self._counts)
        return counts[self._number] > min(counts)

    def close(self) -> None:
        """Tell that this process takes no more."""
        self.tell(0xFFFF_FFFF)
        self._counts.close()
