"""The programs of one machine's Berth: PostgreSQL, the control plane, the data plane, the worker."""

import asyncio
import os
import signal
import sys
import time

import structlog

from berth.cli.up.ports import Ports
from berth.cli.up.program import Program
from berth.cli.up.readiness_pipe import ReadinessPipe
from berth.cli.up.supervisor import CannotStart
from berth.embedded import AccountMissing, Cluster, ClusterBroken, leash, stop_leftover
from berth.settings import Settings

log = structlog.get_logger()

# A worker answers nobody: one that lived so long has found its database and its tasks.
WORKER_SECONDS = 3.0
LOG_LEVELS = {"WARNING": "warning", "ERROR": "warning", "FATAL": "warning", "PANIC": "error"}
# What PostgreSQL calls fatal to a connection that came too early or too late is no news to whoever waits for it.
EVERYDAY = (
    "the database system is starting up",
    "the database system is shutting down",
    "terminating connection due to",
)


def postgres(cluster: Cluster) -> Program:
    """The embedded PostgreSQL. PostgreSQL documentation, "Shutting Down the Server": fast, immediate."""

    def command() -> list[str]:
        try:
            for pid in stop_leftover(cluster.folder):
                log.warning("stopped a PostgreSQL process that an earlier start left behind", pid=pid)
            return cluster.command()
        except (ClusterBroken, AccountMissing) as error:
            raise CannotStart(str(error)) from error

    async def problem() -> str | None:
        return None if await asyncio.to_thread(cluster.answers) else "it takes no connections"

    ends = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    return Program("postgres", command, problem, environment, ends, hear=_log_postgres)


def planes(module: str, ports: Ports, settings: Settings) -> list[Program]:
    """The processes of the control plane or the data plane, by the name of its module, that serve at `ports`."""
    names = [module] if ports.processes == 1 else [f"{module}-{number + 1}" for number in range(ports.processes)]
    return [_plane(module, name, number, ports, settings) for number, name in enumerate(names)]


def _plane(module: str, name: str, number: int, ports: Ports, settings: Settings) -> Program:
    pipe = ReadinessPipe()

    def command() -> list[str]:
        ready = ["--ready", str(pipe.renew())]
        return _python(module, "--name", name, *ports.arguments(number), *ready)

    def inherits() -> list[int]:
        return [*ports.descriptors(), pipe.descriptor]

    return Program(name, command, pipe.problem, _environment(settings), inherits=inherits)


def worker(settings: Settings) -> Program:
    started = 0.0

    def command() -> list[str]:
        nonlocal started
        started = time.monotonic()
        return _python("berth.workers")

    async def problem() -> str | None:
        return None if time.monotonic() - started > WORKER_SECONDS else "it has only started"

    return Program("worker", command, problem, _environment(settings))


def _python(module: str, *arguments: str) -> list[str]:
    # A plane needs no time to say goodbye when `berth up` is killed: what it acknowledged is safe.
    return leash(sys.executable, "-m", module, *arguments, end=signal.SIGKILL)


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **settings.environment()}


def _log_postgres(line: str) -> None:
    severity, _, text = line.partition(":")
    level = LOG_LEVELS.get(severity.strip(), "debug")
    if any(phrase in text for phrase in EVERYDAY):
        level = "debug"
    getattr(log, level)(text.strip() or line, source="postgres")
