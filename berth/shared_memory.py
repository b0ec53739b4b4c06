"""Memory that the processes of a machine share: a file in the data folder, anew at each boot of each machine."""

import contextlib
import fcntl
import mmap
import os
from pathlib import Path

from berth.files import has_name

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


def shared_memory(folder: Path, name: str, size: int) -> mmap.mmap | None:
    """`size` bytes that all who ask for this name in this folder share, zeros at first.

    None where there is no such folder or nothing may be written.
    """
    with contextlib.suppress(OSError, ValueError):
        file = folder / f"{name}-{BOOT_ID.read_text().strip()}"
        descriptor = _held(file)
        try:
            # With its room on the disk: the kernel kills who writes to a page that a full disk has none for.
            os.posix_fallocate(descriptor, 0, size)
            memory = mmap.mmap(descriptor, size)
        finally:
            # The memory has a descriptor of its own, and with it the lock.
            os.close(descriptor)
        _forget_others(file, name)
        return memory
    return None


def _held(file: Path) -> int:
    """A descriptor of the file, which nobody takes for one of an earlier boot while it is open."""
    while True:
        descriptor = os.open(file, _FLAGS | os.O_CREAT, 0o600)
        try:
            # Where the file system has no locks, nobody gets one to remove the file either.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            # Another machine that shares the folder may have removed it before the lock.
            if has_name(descriptor, file):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _forget_others(mine: Path, name: str) -> None:
    """Remove the files of other boots that no process holds: those of boots that are over."""
    for file in mine.parent.glob(f"{name}-*"):
        if file != mine:
            with contextlib.suppress(OSError):
                descriptor = os.open(file, _FLAGS)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # Else somebody has removed it meanwhile, and the name may be that of a new one.
                    if has_name(descriptor, file):
                        file.unlink()
                finally:
                    os.close(descriptor)
