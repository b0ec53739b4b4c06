"""Answers at once: what a plane can say as soon as the head of a request is read, without waiting for anything.

aiohttp's way of a request (a task, objects for the request and the answer, a router, middlewares) takes 40 µs of CPU,
twice as much as what the kernel does for it. A plane that has the answer in its memory gives it here instead; whatever
else there is to say, an error too, goes aiohttp's way.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler

from listener.peers import Peer

log = structlog.get_logger()

SERVER = "Berth"


@dataclass(frozen=True, slots=True)
class Prompt:
    """An answer with status 200, as bytes: `head` has all its fields but the date."""

    head: bytes
    body: bytes = b""

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes, length: int | None = None) -> "Prompt":
        """`length`: of the body that the same request by GET is answered with, where this one has none."""
        fields = {**headers, "Content-Length": str(len(body) if length is None else length), "Server": SERVER}
        return cls(
            b"HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode(), body
        )


AnswerAtOnce = Callable[[RawRequestMessage, Peer], Prompt | None]
ANSWER_AT_ONCE: web.AppKey[AnswerAtOnce] = web.AppKey("answer_at_once")


class PromptConnection(RequestHandler):
    """aiohttp's connection, which asks the plane for an answer at once to a request that comes alone."""

    __slots__ = ("answer_at_once",)

    answer_at_once: AnswerAtOnce | None

    def data_received(self, data: bytes) -> None:
        waiter = self._waiter
        if waiter is None or self.answer_at_once is None:
            super().data_received(data)
            return
        # The task that waits for requests is not to wake before it is clear that there is one for it.
        self._waiter = None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if self._messages and not waiter.done() and not self._answered_at_once(self.answer_at_once):
            waiter.set_result(None)

    @abstractmethod
    def _seen(self, message: RawRequestMessage) -> tuple[RawRequestMessage, Peer]:
        """The request as the plane is to see it, and who made it."""

    def _answered_at_once(self, answer_at_once: AnswerAtOnce) -> bool:
        message, payload = self._messages[0]
        transport = self.transport
        if (
            len(self._messages) > 1
            or payload is not EMPTY_PAYLOAD
            or not isinstance(message, RawRequestMessage)
            or message.version != HttpVersion11
            or message.should_close
            or message.upgrade
            or self._paused
            or transport is None
            or transport.is_closing()
        ):
            return False
        try:
            answer = answer_at_once(*self._seen(message))
        except Exception:
            log.exception("an answer at once met a fault of Berth's own")
            return False
        if answer is None:
            return False
        self._messages.clear()
        assert self._parser is not None  # noqa: S101
        assert self._manager is not None  # noqa: S101
        self._parser.message_consumed()
        self._manager.requests_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        transport.write(b"".join((answer.head, _date.line(), answer.body)))
        return True


class _Date:
    """The field Date and the end of the head, made once a second. RFC 9110, "Date"."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()
            self._second = second
        return self._line


_date = _Date()
