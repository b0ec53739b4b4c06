"""Requests that no handler sees: what is not HTTP, and what failed in the code."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

from berth.logs import name_request, request_id
from listener.limits import MAX_HEADER_BYTES

log = structlog.get_logger()

AnswerFault = Callable[[int, str], web.Response]
ANSWER_FAULT: web.AppKey[AnswerFault] = web.AppKey("answer_fault")

SERVER = "Berth"
TOO_LONG = f"A line of the request's head is longer than {MAX_HEADER_BYTES} bytes"
NOT_HTTP = "The request is not well-formed HTTP/1.1"
# What aiohttp says of bytes that it cannot parse, where no quotation of them follows.
PLAIN_REASONS = {
    "Received HTTPS traffic on an HTTP port",
    "Too many headers received",
    "Missing 'Host' header in request.",
    "Duplicate 'Host' header found.",
}
FAILED = "Something failed here, not in the request; the log has the details under the id of the request"


def answer_plainly(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")


class Connection(RequestHandler):
    """aiohttp's connection, whose own answers quote the request and name the versions of the server's software."""

    __slots__ = ("answer_fault",)

    def __init__(self, *arguments: Any, answer_fault: AnswerFault, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.answer_fault = answer_fault

    def data_received(self, data: bytes) -> None:
        """Fail the body that turns out to be malformed: aiohttp would let whoever reads it wait for more."""
        super().data_received(data)
        reading = self._current_request
        if not self._messages or reading is None or reading.content.is_eof():
            return
        error = getattr(self._messages[-1][0], "exc", None)
        if isinstance(error, HttpProcessingError):
            self._messages.pop()
            reading.content.set_exception(error)
            reading.content.feed_eof()
            self.close()

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
        if isinstance(exc, LineTooLong):
            response = self.answer_fault(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)
        else:
            is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
            response = self.answer_fault(status, FAILED if is_ours else NOT_HTTP + _reason(exc))
        response.headers["Server"] = SERVER
        response.force_close()
        return response


def _reason(error: BaseException | None) -> str:
    """What the parser did not like, without the bytes themselves."""
    reason, quoted, _ = str(getattr(error, "message", "")).partition(":\n\n")
    return f": {' '.join(reason.split())}" if quoted or reason in PLAIN_REASONS else ""


class Server(web.Server):
    """aiohttp's server, with connections of our kind."""

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner, with a server of our kind."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        answer_fault = self.app.get(ANSWER_FAULT, answer_plainly)
        return Server(
            made.request_handler,
            request_factory=made.request_factory,
            loop=made._loop,
            answer_fault=answer_fault,
            **made._kwargs,
        )
