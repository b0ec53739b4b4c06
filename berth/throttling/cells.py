"""The memory in which the processes of a machine have their buckets: a cell for each, found by its name.

A cell is two numbers of 64 bits: which bucket it is of, and when that will be full again, in nanoseconds of the
machine's clock. Processes change a cell without a lock: what two of them do in the same hundred nanoseconds may count
once.
"""

import contextlib
import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from berth.shared_memory import shared_memory

CELLS = 8192
CELL_BYTES = 16
# A name is looked for in so many cells from the one that its digest points at.
PROBES = 16
# What has been full for so long says nothing any more.
STALE_NS = 60 * 10**9


def tag_of(name: str) -> int:
    """What a cell is known by; never 0, which is no bucket's."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) or 1


class Cells:
    def __init__(self, folder: Path | None = None) -> None:
        """Shared with all of this machine that are given the same folder.

        Machines that have one folder wait for each other to make a cell, and share nothing else.
        """
        self._lock, shared = (None, None) if folder is None else _shared(folder)
        self.is_shared = shared is not None
        # The number at 2 * n is the tag of cell n, the one after it is when it will be full.
        self.numbers = memoryview(shared or bytearray(CELLS * CELL_BYTES)).cast("Q")

    def find(self, tag: int) -> int:
        """Where the cell with that tag is, in `numbers`; where there is none, one that nobody needs becomes it."""
        numbers = self.numbers
        places = [2 * ((tag + probe) % CELLS) for probe in range(PROBES)]
        with self._locked():
            for place in places:
                if numbers[place] == tag:
                    return place
            stale = time.monotonic_ns() - STALE_NS
            free = next((place for place in places if numbers[place] == 0 or numbers[place + 1] < stale), None)
            # All are in use: the one that is nearest to being full loses least.
            place = min(places, key=lambda place: numbers[place + 1]) if free is None else free
            numbers[place + 1] = 0
            numbers[place] = tag
            return place

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _shared(folder: Path) -> tuple[int | None, mmap.mmap | None]:
    """The descriptor to lock and the memory. Neither where there is no such folder, or nothing may be written."""
    memory = shared_memory(folder, "buckets", CELLS * CELL_BYTES)
    if memory is not None:
        with contextlib.suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(folder / "buckets.lock", flags, 0o600), memory
    return None, None
