"""Serving an application at an address."""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from berth.networks.sockets import bind
from berth.settings import Settings
from listener.accepting import Acceptor, Terms
from listener.certificates import Certificate, certificate_of, context_of
from listener.connections import Runner, Server
from listener.health import add_health
from listener.limits import (
    DRAIN_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    OTHER_DESCRIPTORS,
)
from listener.outlook import Outlook
from listener.requests import account, identify, name_server
from listener.share import Share

MakeApp = Callable[[Settings], web.Application] | Callable[[Settings], Awaitable[web.Application]]


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def listening(
    make_app: MakeApp, settings: Settings, address: str, *, is_proxied: bool = False
) -> AsyncIterator[Address]:
    """The application, served at `address` (HOST:PORT; port 0 is a free one) for as long as the context lasts.

    `is_proxied`: by the PROXY protocol, for the trusted proxies of the settings alone.
    On leaving, no more connections are taken, and the requests under way have DRAIN_SECONDS to end.
    Raises AddressUnusable, CertificateUnusable.
    """
    sockets = bind(address)
    port = sockets[0].getsockname()[1]
    taking = Taking(sockets, certificate_of(settings), is_proxied)
    async with serving(await made(make_app, settings), settings, taking):
        yield Address(address.rpartition(":")[0], port)


@dataclass(frozen=True, slots=True)
class Taking:
    """Where connections come from, and how."""

    sockets: Sequence[socket.socket]
    certificate: Certificate | None = None
    is_proxied: bool = False
    share: Share | None = None

    def terms(self, settings: Settings) -> Terms:
        return Terms(
            min(settings.max_connections, _room()),
            lambda: context_of(self.certificate),
            settings.trusted_proxies,
            self.is_proxied,
            self.share,
        )


async def made(make_app: MakeApp, settings: Settings) -> web.Application:
    """The application, with what every plane has."""
    making = make_app(settings)
    app = await making if isinstance(making, Awaitable) else making
    app.middlewares[:0] = [identify, account] if settings.log_level == "debug" else [identify]
    app.on_response_prepare.append(name_server)
    add_health(app)
    return app


@contextlib.asynccontextmanager
async def serving(app: web.Application, settings: Settings, taking: Taking) -> AsyncIterator[None]:
    runner = Runner(
        app,
        Outlook.of(settings),
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
    server = cast(Server, runner.server)
    acceptor = Acceptor(taking.sockets, server, taking.terms(settings))
    refreshing = asyncio.create_task(taking.certificate.keep_fresh()) if taking.certificate else None
    acceptor.start()
    try:
        yield
    finally:
        if refreshing is not None:
            refreshing.cancel()
        await acceptor.close()
        await runner.cleanup()


def _room() -> int:
    """For how many connections there are descriptors; each may have a file open, too."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return sys.maxsize
    return max((descriptors - OTHER_DESCRIPTORS) // 2, 1)
