"""A plane of a few paths, and ways to talk to it byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

from aiohttp import web

import listener
from berth import logs
from berth.database.db import Database
from berth.settings import Settings
from berth.store.filesystem import FilesystemStore

MIB = 1024 * 1024


class Plane:
    """An application that answers when it is told to, and says whom it answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.ended = asyncio.Event()

    async def slow(self, _request: web.Request) -> web.Response:
        self.asked.set()
        await self.answer.wait()
        return web.Response(text="done")

    async def ids(self, _request: web.Request) -> web.Response:
        return web.Response(text=logs.request_id.get())

    async def broken(self, _request: web.Request) -> web.Response:
        raise RuntimeError("canary of the code")

    async def who(self, request: web.Request) -> web.Response:
        peer = listener.peer_of(request)
        known = {"address": peer.address, "is_secure": peer.is_secure, "vpc_endpoint_id": peer.vpc_endpoint_id}
        return web.json_response({**known, "host": request.headers.get("Host")})

    async def body(self, request: web.Request) -> web.Response:
        self.asked.set()
        try:
            size = 0
            async for chunk in request.content.iter_any():
                size += len(chunk)
            return web.Response(text=str(size))
        finally:
            self.ended.set()

    async def big(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        self.asked.set()
        try:
            await response.prepare(request)
            await response.write(b"x" * (int(request.query["mib"]) * MIB))
            return response
        finally:
            self.ended.set()

    def make_app(self, settings: Settings) -> web.Application:
        async def lifetime(app: web.Application) -> AsyncIterator[None]:
            assert settings.database_url
            app[listener.DATABASE] = Database(settings.database_url.get_secret_value(), pool=1)
            yield
            await app[listener.DATABASE].close()

        app = web.Application()
        app[listener.STORE] = FilesystemStore(settings.store_folder)
        app[listener.ANSWER_FAULT] = lambda status, text: web.json_response({"fault": text}, status=status)
        app.cleanup_ctx.append(lifetime)
        app.router.add_get("/slow", self.slow)
        app.router.add_get("/id", self.ids)
        app.router.add_get("/broken", self.broken)
        app.router.add_get("/who", self.who)
        app.router.add_put("/body", self.body)
        app.router.add_get("/big", self.big)
        return app


@contextlib.asynccontextmanager
async def connection(
    address: listener.Address, context: ssl.SSLContext | None = None, before: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the plane, on which `before` came first, and TLS by `context` then."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(before)
        if context is not None:
            await writer.drain()
            await writer.start_tls(context, server_hostname="berth.test", ssl_handshake_timeout=10)
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, *fields: str) -> bytes:
    """The body of the answer to a GET. Raises IncompleteReadError where the connection ends instead."""
    head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: berth.test", *fields, "", ""])
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    (length,) = [line.split(b":")[1] for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return await asyncio.wait_for(reader.readexactly(int(length)), 10)


async def is_closed(reader: asyncio.StreamReader, seconds: float = 10) -> bool:
    """Whether the other side closes the connection without a word."""
    try:
        return await asyncio.wait_for(reader.read(), seconds) == b""
    except ConnectionError:
        return True
