"""Keeping programs running: a crashed one is started again, ever later; one that never gets to run ends it all."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

import structlog

from berth.cli.up.program import Program, ending

log = structlog.get_logger()

# sysexits.h, EX_CONFIG: what a plane ends with when only a change of settings can help.
EXIT_CONFIGURATION = 78
START_ATTEMPTS = 4
START_SECONDS = 60.0
ASK_SECONDS = 0.05
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 30.0
# Whoever ran for so long did not crash at its start: the next delay is the first one again.
STEADY_SECONDS = 30.0


class CannotStart(Exception):
    """A program does not get to run; the text says which and why."""


@dataclass
class Supervised:
    """A program, and the process that runs it now; `ready` is done at its first readiness."""

    program: Program
    ready: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None
    problem: str = "it has not answered"

    @property
    def has_run(self) -> bool:
        return self.ready.done() and self.ready.exception() is None


class Supervisor:
    """Runs programs until it is told to stop."""

    def __init__(self) -> None:
        self._groups: list[list[Supervised]] = []
        self._stopping = False
        # Set for good when the user loses patience.
        self._now = False

    def start(self, *programs: Program) -> list[Supervised]:
        """Start them, to be kept running from here on, and in the end to be stopped together."""
        group = [Supervised(program) for program in programs]
        self._groups.append(group)
        for one in group:
            one.task = asyncio.create_task(self._keep(one), name=one.program.name)
        return group

    async def until_ready(self, *group: Supervised) -> None:
        """Return when all of them are ready. Raises CannotStart."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.gather(*(asyncio.shield(one.ready) for one in group))
        except TimeoutError:
            late = next(one for one in group if not one.ready.done())
            raise CannotStart(f"{late.program.name} is not ready after {START_SECONDS:.0f} s: {late.problem}") from None

    async def stop(self) -> None:
        """Stop all, the last started first; what was started together is stopped together."""
        self._stopping = True
        for group in reversed(self._groups):
            await asyncio.gather(*(self._end(one) for one in group))

    def hurry(self) -> None:
        """End the patience of a stop that is under way."""
        self._now = True
        for one in itertools.chain.from_iterable(self._groups):
            if one.process is not None and one.process.returncode is None:
                number, _ = one.program.ends[1]
                one.process.send_signal(number)

    async def _end(self, one: Supervised) -> None:
        if one.process is not None:
            await one.program.stop(one.process, now=self._now)
        if one.task is not None:
            one.task.cancel()
            await asyncio.wait([one.task])
        # Also reads the exception of one that failed while another one's was told.
        if not one.ready.cancel():
            one.ready.exception()

    async def _keep(self, one: Supervised) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                code = await self._run_once(one)
                ended, is_final = ending(code), code == EXIT_CONFIGURATION
            except CannotStart as error:
                ended, is_final = str(error), True
            if self._stopping:
                return
            failures = 0 if time.monotonic() - started > STEADY_SECONDS else failures + 1
            if not one.has_run and (is_final or failures >= START_ATTEMPTS):
                one.ready.set_exception(CannotStart(f"{one.program.name} does not start: {ended}"))
                return
            delay = min(FIRST_DELAY_SECONDS * 2 ** max(failures - 1, 0), LONGEST_DELAY_SECONDS)
            log.warning(f"{one.program.name} ended; it is started again", ended=ended, in_seconds=delay)
            await asyncio.sleep(delay)

    async def _run_once(self, one: Supervised) -> int:
        one.process = await one.program.spawn()
        asking = asyncio.create_task(self._ask(one))
        try:
            await one.program.listen(one.process)
            return await one.process.wait()
        finally:
            asking.cancel()

    async def _ask(self, one: Supervised) -> None:
        """Ask the program, until it is ready."""
        asked = time.monotonic()
        while (problem := await one.program.problem()) is not None:
            one.problem = problem
            await asyncio.sleep(ASK_SECONDS)
        if one.has_run:
            log.info(f"{one.program.name} is back", after_seconds=round(time.monotonic() - asked, 2))
        elif not one.ready.done():
            one.ready.set_result(None)
