"""A PostgreSQL that outlived the `berth up` that started it: found by the folder it works in, and stopped."""

import contextlib
import signal
from pathlib import Path

import psutil

# PostgreSQL documentation, "Shutting Down the Server": fast, immediate; and what leaves recovery to the next start.
STEPS = ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))


def stop_leftover(folder: Path) -> list[int]:
    """Stop every PostgreSQL process on the cluster in `folder`, and return their process ids.

    Only for whoever holds the lock of the data folder. Nothing is stopped that does not work in `folder`.
    """
    pids = [process.pid for process in _on(folder)]
    for end, seconds in STEPS:
        left = _on(folder)
        if not left:
            break
        masters = [process for process in left if process.ppid() not in pids] or left
        for process in masters if end is signal.SIGINT else left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(end)
        psutil.wait_procs(left, timeout=seconds)
    _forget_recycled_pid(folder)
    return pids


def _on(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.name() == "postgres" and process.cwd() == str(folder):
                found.append(process)
    return found


def _forget_recycled_pid(folder: Path) -> None:
    """PostgreSQL takes any live process of its user with the number in postmaster.pid for a server of this folder.

    After a restart of a container, whose process ids are few, such a process may well be one of Berth.
    """
    file = folder / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        if psutil.pid_exists(int(file.read_text().splitlines()[0])):
            file.unlink()
