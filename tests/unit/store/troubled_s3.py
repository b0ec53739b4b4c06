"""An S3 server that has its bad moments: a proxy before a good one, which answers for it, or hangs up."""

import asyncio
import contextlib
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

ERROR = "<Error><Code>{0}</Code><Message>a bad moment</Message></Error>"


@dataclass
class Trouble:
    """What the next requests that `concerns` holds of come to; each trouble is spent by one of them."""

    concerns: Callable[[web.Request], bool]
    times: int = 1
    # A status with an error of S3, or 0: the connection breaks in the middle of the body.
    status: int = 500
    code: str = "InternalError"
    # Whether the good server hears of the request before.
    after: bool = False
    # A bit of the body is another when the good server hears of it, and its answer is passed on.
    corrupts: bool = False


@dataclass
class TroubledS3:
    endpoint: str
    target: str
    troubles: list[Trouble] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen[request.method] += 1
        trouble = self._next(request)
        corrupts = trouble is not None and trouble.corrupts
        if trouble is not None and not trouble.after and not corrupts:
            return await self._trouble(request, trouble)
        async with self._passed_on(request, corrupts=corrupts) as response:
            if trouble is not None and not corrupts:
                await response.read()
                return await self._trouble(request, trouble)
            answer = web.StreamResponse(status=response.status, headers=response.headers)
            answer.headers.popall("Transfer-Encoding", None)
            await answer.prepare(request)
            async for chunk in response.content.iter_any():
                await answer.write(chunk)
            return answer

    async def cut(self, request: web.Request, length: int) -> web.StreamResponse:
        """The first `length` bytes of the answer, and no more."""
        async with self._passed_on(request) as response:
            answer = web.StreamResponse(status=response.status, headers=response.headers)
            await answer.prepare(request)
            await answer.write(await response.content.readexactly(length))
            _hang_up(request)
            return answer

    def _next(self, request: web.Request) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.times and trouble.concerns(request):
                trouble.times -= 1
                return trouble
        return None

    async def _trouble(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        if trouble.status:
            return web.Response(status=trouble.status, text=ERROR.format(trouble.code), content_type="application/xml")
        if request.method == "GET":
            return await self.cut(request, 100_000)
        if request.can_read_body and not trouble.after:
            await request.content.readany()
        _hang_up(request)
        return web.Response()

    @contextlib.asynccontextmanager
    async def _passed_on(
        self, request: web.Request, *, corrupts: bool = False
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        body = request.content if request.can_read_body else None
        if corrupts:
            content = bytearray(await request.content.read())
            content[len(content) // 2] ^= 1
            body = io.BytesIO(content)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                self.target + request.raw_path,
                headers=request.headers,
                data=body,
                skip_auto_headers={"Content-Type", "Accept", "Accept-Encoding", "User-Agent"},
            ) as response,
        ):
            yield response


def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@contextlib.asynccontextmanager
async def troubled(target: str) -> AsyncIterator[TroubledS3]:
    """Before the server at `target`. (The requests keep the Host that they were signed with.)"""
    server = TroubledS3("", target)
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.endpoint = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)
