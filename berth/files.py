"""Files that are open, and what has become of their names."""

import os
from pathlib import Path


def has_name(descriptor: int, file: Path) -> bool:
    """Whether `file` is the name of what is open: it may be gone, or another one's, since it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False
