"""The room that uploads leave free: by the default layout, the embedded PostgreSQL lies on the same file system.

Without room for its log it ends, and without it nothing can be deleted that would make room.
"""

import os

from berth.store.contract import StoreUnavailable
from berth.store.filesystem.faults import faults

MOST_BYTES = 256 << 20
# Of the whole file system, where that is less.
PERCENT = 5
# So much is written between two looks, which take a microsecond each: by many uploads at once, not all of the reserve.
LOOK_BYTES = 1 << 20


class Reserve:
    """What one upload leaves free on the file system that the descriptor's file is on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # How much may still be written without a look.
        self._granted = 0

    def keep(self, size: int) -> None:
        """Raises StoreUnavailable where `size` more bytes would take from the reserve."""
        self._granted -= size
        if self._granted < 0:
            self._look(size)
            self._granted = LOOK_BYTES

    def _look(self, size: int) -> None:
        with faults():
            disk = os.fstatvfs(self._descriptor)
        reserve = min(MOST_BYTES, disk.f_blocks * disk.f_frsize * PERCENT // 100)
        # One that does not tell its size has no reserve.
        if disk.f_blocks and disk.f_bavail * disk.f_frsize - size < reserve:
            raise StoreUnavailable(f"the store is full: the last {max(reserve >> 20, 1)} MiB of its disk are kept free")
