"""Connections: one client each, with its requests one after the other, and what it owes us in time."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from berth.logs import name_request, request_id
from listener.faults import ANSWER_FAULT, answer_plainly, fault_of
from listener.limits import HEAD_SECONDS, STALL_SECONDS
from listener.outlook import Outlook
from listener.peers import PEER, Peer
from listener.prompt import ANSWER_AT_ONCE, SERVER, PromptConnection

log = structlog.get_logger()


class Connection(PromptConnection):
    """aiohttp's connection, whose own answers quote the request and name the versions of the server's software."""

    __slots__ = ("_head_since", "_heard_at", "_outlook", "answer_fault", "idle_since", "is_trusted", "peer")

    def __init__(self, server: "Server", peer: Peer, **options: Any) -> None:
        super().__init__(server, **options)
        self.answer_fault = server.answer_fault
        self.answer_at_once = server.answer_at_once
        self._outlook = server.outlook
        self.peer = server.outlook.placed(peer)
        # Whether the peer is a proxy whose headers count.
        self.is_trusted = server.outlook.trusts(peer)
        self.idle_since = self._heard_at = self._loop.time()
        self._head_since: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it owes us a request: none is under way, or only a part of a head has come."""
        return self._waiter is not None and not self._waiter.done()

    def data_received(self, data: bytes) -> None:
        """Fail the body that turns out to be malformed: aiohttp would let whoever reads it wait for more."""
        heads = self._request_count
        was_idle = self.is_idle
        super().data_received(data)
        self._heard_at = self._loop.time()
        if self._request_count > heads:
            self._head_since, self.idle_since = None, self._heard_at
        elif was_idle and self._head_since is None:
            self._head_since = self._heard_at
        reading = self._current_request
        if not self._messages or reading is None or reading.content.is_eof():
            return
        error = getattr(self._messages[-1][0], "exc", None)
        if isinstance(error, HttpProcessingError):
            self._messages.pop()
            reading.content.set_exception(error)
            reading.content.feed_eof()
            self.close()

    def _seen(self, message: RawRequestMessage) -> tuple[RawRequestMessage, Peer]:
        """With the host that the client asked, and the client itself, where a trusted proxy tells them."""
        if not (self.is_trusted and self._outlook.tells(message.headers)):
            return message, self.peer
        headers, peer = self._outlook.seen(message.headers, self.peer)
        return message._replace(headers=headers), peer

    def overdue(self, now: float) -> str | None:
        """What has not come in time, at `now` of the loop's clock."""
        if self.is_idle:
            if self._head_since is not None and now - self._head_since > HEAD_SECONDS:
                return "the rest of the head"
            return None
        self.idle_since = now
        reading = self._current_request
        if reading is None or reading.content.is_eof() or self._reading_paused or self._buffer_paused:
            # It is we who take our time.
            self._heard_at = now
            return None
        return "the rest of the body" if now - self._heard_at > STALL_SECONDS else None

    def abort(self) -> None:
        """Close it at once, whatever is under way; whoever reads the request learns that its client is gone."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            # Even without TLS's goodbye, for which force_close() would wait.
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del message
        if request_id.get() is None:
            name_request()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("a request failed", method=request.method, path=request.path, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is half sent")
        response = self.answer_fault(*fault_of(status, exc))
        response.headers["Server"] = SERVER
        response.force_close()
        return response


class Server(web.Server):
    """aiohttp's server, with connections of our kind, that knows who is behind a proxy."""

    def __init__(self, made: web.Server, app: web.Application, outlook: Outlook) -> None:
        super().__init__(made.request_handler, loop=made._loop, **made._kwargs)
        self._make = made.request_factory
        self.request_factory = self._request
        self.answer_fault = app.get(ANSWER_FAULT, answer_plainly)
        self.answer_at_once = app.get(ANSWER_AT_ONCE)
        self.outlook = outlook
        # Called when there is one connection less.
        self.on_loss: Callable[[], None] | None = None

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        task = handler._task_handler
        super().connection_lost(handler, exc)
        if self.on_loss is not None and task is not None:
            # The connection counts until its task has ended.
            on_loss = self.on_loss
            task.add_done_callback(lambda _: on_loss())

    @property
    def count(self) -> int:
        return len(self._connections)

    @property
    def connections(self) -> list[Connection]:  # type: ignore[override]
        return [one for one in self._connections if isinstance(one, Connection)]

    def idle(self) -> list[Connection]:
        """Those without a request under way."""
        return [connection for connection in self.connections if connection.is_idle]

    def connect(self, peer: Peer) -> Connection:
        """A new connection, which comes from `peer`."""
        return Connection(self, peer, loop=self._loop, **self._kwargs)

    def _request(self, message: Any, payload: Any, protocol: Any, *rest: Any) -> BaseRequest:
        if not (protocol.is_trusted and self.outlook.tells(message.headers)):
            return self._make(message, payload, protocol, *rest)
        headers, peer = self.outlook.seen(message.headers, protocol.peer)
        request = self._make(message._replace(headers=headers), payload, protocol, *rest)
        request[PEER] = peer
        return request


class Runner(web.AppRunner):
    """aiohttp's runner, with a server of our kind."""

    def __init__(self, app: web.Application, outlook: Outlook, **options: Any) -> None:
        super().__init__(app, **options)
        self._outlook = outlook

    async def _make_server(self) -> web.Server:
        return Server(await super()._make_server(), self.app, self._outlook)
