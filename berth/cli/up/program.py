"""A program that `berth up` runs: how it is started, when it is ready, how it is stopped."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

# Planes drain for 25 s (listener/limits.py).
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """`command` makes the command anew for each start; `problem` is None once it is ready, or says what is missing."""

    name: str
    command: Callable[[], list[str]]
    problem: Callable[[], Awaitable[str | None]]
    environment: dict[str, str] = field(repr=False)
    # In order: what it is asked with, and how long it then has.
    ends: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0))
    # The descriptors that it inherits, for each start.
    inherits: Callable[[], list[int]] = list
    # Takes the lines of its standard error; without it they go where ours go.
    hear: Callable[[str], None] | None = None

    async def spawn(self) -> asyncio.subprocess.Process:
        """Start it, in a process group of its own: Ctrl-C on the terminal is for us, who stop all in order."""
        command = self.command()
        return await asyncio.create_subprocess_exec(
            *command,
            pass_fds=self.inherits(),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE if self.hear else None,
            process_group=0,
        )

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        """Pass on what it says, for as long as it does."""
        if self.hear is None or process.stderr is None:
            return
        while line := await process.stderr.readline():
            self.hear(line.decode(errors="replace").rstrip())

    async def stop(self, process: asyncio.subprocess.Process, *, now: bool = False) -> None:
        """Ask it to end, ever more firmly; `now`: without the first, patient way."""
        for number, seconds in self.ends[1:] if now else self.ends:
            if process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await process.wait()


def ending(code: int) -> str:
    """How a process ended, for people."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
