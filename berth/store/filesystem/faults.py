"""The faults of a disk, in the words of the contract."""

import contextlib
import errno
import os
from collections.abc import Iterator

from berth.store.contract import BlobUnreadable, StoreUnavailable

# What a disk says of one file, and not of all.
OF_A_FILE = {errno.EIO, errno.EUCLEAN, errno.EBADMSG, errno.EISDIR, errno.EACCES}


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """Turn the faults of the disk into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(_told(error)) from error


@contextlib.contextmanager
def reading_faults() -> Iterator[None]:
    """The same, but for those of one blob: BlobUnreadable."""
    try:
        yield
    except OSError as error:
        raise (BlobUnreadable if error.errno in OF_A_FILE else StoreUnavailable)(_told(error)) from error


def _told(error: OSError) -> str:
    """Without the path, which is nobody's business."""
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    return f"the store answers {reason}: {os.strerror(error.errno or 0)}"
