"""Names of hosts that are this machine, as long as a test needs them: lines in /etc/hosts, each marked as ours."""

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.absences import absent

from .shell import ProgramFailed

HOSTS = Path("/etc/hosts")
LOCK = Path(tempfile.gettempdir()) / "berth-tests-hosts.lock"
MARK = "# made by Berth's tests, process {}"
READ_AGAIN_SECONDS = 30
MARKED = re.compile(re.escape(MARK).replace(re.escape("{}"), "([0-9]+)"))


@contextlib.contextmanager
def named(*names: str) -> Iterator[None]:
    """Let the names be 127.0.0.1 until the end; the test is skipped where this file may not be written."""
    if not os.access(HOSTS, os.W_OK):
        absent(f"{HOSTS} may not be written, and must name {', '.join(names)}")
    line = f"127.0.0.1 {' '.join(names)} {MARK.format(os.getpid())}"
    _change(lambda lines: [*filter(_is_wanted, lines), line])
    try:
        yield
    finally:
        _change(lambda lines: [other for other in lines if other != line])


def once_known(action: Callable[[], object]) -> None:
    """Do what needs the names, by a program that ran before they were: it reads the file again in five seconds."""
    deadline = time.monotonic() + READ_AGAIN_SECONDS
    while True:
        try:
            action()
        except ProgramFailed as failed:
            if "lookup " not in str(failed) or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _is_wanted(line: str) -> bool:
    """Whether the line is not one that a test left behind when it was killed."""
    marked = MARKED.search(line)
    return marked is None or psutil.pid_exists(int(marked[1]))


def _change(change: Callable[[list[str]], list[str]]) -> None:
    # Other tests do the same at the same time. The file is written where it is: in a container it cannot be replaced.
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with HOSTS.open("r+") as file:
            lines = change(file.read().splitlines())
            file.seek(0)
            file.write("".join(f"{line}\n" for line in lines))
            file.truncate()
