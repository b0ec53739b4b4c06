"""Files and folders whose entries outlive a crash."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from berth.store.filesystem.faults import faults


def open_file(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(file, flags, 0o600)
    except FileNotFoundError:
        make_folder(file.parent)
        return os.open(file, flags, 0o600)


def remove_file(file: Path) -> None:
    """Remove it, and its folder where it was the last one in it: folders do not shrink."""
    with faults():
        file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            file.parent.rmdir()


def below(folder: Path, levels: int) -> Iterator[Path]:
    """What is so many levels below. In a folder that goes meanwhile, with its last blob, there is nothing."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if levels == 1:
            yield folder / name
        else:
            yield from below(folder / name, levels - 1)


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, each entry durable."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
