"""When what changed last, in memory that all processes of a machine share: they know of each other's changes at once.

A moment is in nanoseconds of the machine's own clock, which no process can set and which begins anew at each boot.
"""

import time
from pathlib import Path
from zlib import crc32

from berth.shared_memory import shared_memory

# Subjects that fall on one place are taken to have changed together: a needless look into the database, no more.
PLACES = 16_384
PLACE_BYTES = 8


def now() -> int:
    return time.monotonic_ns()


def place_of(subject: str) -> int:
    return crc32(subject.encode()) % PLACES


class Moments:
    """The moment of the last change, by the place of a subject; 0 where none is known."""

    def __init__(self, folder: Path | None = None) -> None:
        """Shared with all of this machine that are given the same folder."""
        shared = None if folder is None else shared_memory(folder, "changes", PLACES * PLACE_BYTES)
        self.is_shared = shared is not None
        self._last = memoryview(shared or bytearray(PLACES * PLACE_BYTES)).cast("Q")

    def note(self, subject: str) -> None:
        """The subject changed, at this moment or before."""
        self._last[place_of(subject)] = now()

    def last(self, place: int) -> int:
        return self._last[place]
