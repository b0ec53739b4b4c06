"""Serving an application until a signal says stop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import structlog
from aiohttp import web

from berth import logs
from berth.settings import Settings, SettingsInvalid, load
from berth.sockets import AddressUnusable, bind
from listener.faults import Runner
from listener.health import add_health
from listener.limits import (
    DRAIN_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
)
from listener.requests import account, identify, name_server

log = structlog.get_logger()

MakeApp = Callable[[Settings], web.Application] | Callable[[Settings], Awaitable[web.Application]]
# sysexits.h, EX_CONFIG: to start again without a change of settings is of no use.
EXIT_CONFIGURATION = 78


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def serve(process: str, setting: str, make_app: MakeApp) -> None:
    """Run the plane `process` at the address in its `setting` (of Settings) until SIGTERM or SIGINT; then drain."""
    try:
        settings = load()
    except SettingsInvalid as error:
        _refuse(str(error))
    if settings.database_url is None:
        _refuse(f"BERTH_DATABASE_URL: the {process} needs it (`berth up` gives it)")
    logs.configure(settings, process)
    try:
        asyncio.run(_serve(settings, setting, make_app))
    except AddressUnusable as error:
        log.error(f"{error}; choose another by BERTH_{setting.upper()}")  # noqa: TRY400
        sys.exit(EXIT_CONFIGURATION)


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)  # noqa: T201
    sys.exit(EXIT_CONFIGURATION)


async def _serve(settings: Settings, setting: str, make_app: MakeApp) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(make_app, settings, getattr(settings, setting)) as address:
        log.info("listening", address=str(address))
        await stop.wait()
        log.info("stopping: finishing the requests under way", at_most_seconds=DRAIN_SECONDS)
    log.info("stopped")


@contextlib.asynccontextmanager
async def listening(make_app: MakeApp, settings: Settings, address: str) -> AsyncIterator[Address]:
    """The application, served at `address` (HOST:PORT; port 0 is a free one) for as long as the context lasts.

    On leaving, no more connections are taken, and the requests under way have DRAIN_SECONDS to end.
    Raises AddressUnusable.
    """
    sockets = bind(address)
    made = make_app(settings)
    app = await made if isinstance(made, Awaitable) else made
    app.middlewares[:0] = [identify, account] if settings.log_level == "debug" else [identify]
    app.on_response_prepare.append(name_server)
    add_health(app)
    runner = Runner(
        app,
        access_log=None,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=LINGER_SECONDS,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
        shutdown_timeout=DRAIN_SECONDS,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        for listening_socket in sockets:
            await web.SockSite(runner, listening_socket).start()
        yield Address(address.rpartition(":")[0], sockets[0].getsockname()[1])
    finally:
        await runner.cleanup()
