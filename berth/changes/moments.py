"""When what changed last, in memory that all processes of a machine share: they know of each other's changes at once.

A moment is in nanoseconds of the machine's own clock, which no process can set and which begins anew at each boot.
"""

import contextlib
import mmap
import os
import time
from pathlib import Path
from zlib import crc32

# Subjects that fall on one place are taken to have changed together: a needless look into the database, no more.
PLACES = 16_384
PLACE_BYTES = 8
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> int:
    return time.monotonic_ns()


def place_of(subject: str) -> int:
    return crc32(subject.encode()) % PLACES


class Moments:
    """The moment of the last change, by the place of a subject; 0 where none is known."""

    def __init__(self, folder: Path | None = None) -> None:
        """Shared with all that are given the same folder; in it, each boot of each machine has a file of its own."""
        shared = None if folder is None else _mapped(folder)
        self.is_shared = shared is not None
        self._last = memoryview(shared or bytearray(PLACES * PLACE_BYTES)).cast("Q")

    def note(self, subject: str) -> None:
        """The subject changed, at this moment or before."""
        self._last[place_of(subject)] = now()

    def last(self, place: int) -> int:
        return self._last[place]


def _mapped(folder: Path) -> mmap.mmap | None:
    """None where there is no such folder or nothing may be written: then other processes tell by PostgreSQL alone."""
    with contextlib.suppress(OSError, ValueError):
        file = folder / f"changes-{BOOT_ID.read_text().strip()}"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            # With its room on the disk: the kernel kills who writes to a page that a full disk has none for.
            os.posix_fallocate(descriptor, 0, PLACES * PLACE_BYTES)
            return mmap.mmap(descriptor, PLACES * PLACE_BYTES)
        finally:
            os.close(descriptor)
    return None
