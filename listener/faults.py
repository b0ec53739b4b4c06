"""Requests that no handler sees: what is not HTTP, and what failed in the code."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from listener.limits import MAX_HEADER_BYTES

AnswerFault = Callable[[int, str], web.Response]
ANSWER_FAULT: web.AppKey[AnswerFault] = web.AppKey("answer_fault")

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


def fault_of(status: int, error: BaseException | None) -> tuple[int, str]:
    """The status and the words for what aiohttp's parser did not like, or for what failed here."""
    if isinstance(error, LineTooLong):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return status, FAILED
    return status, NOT_HTTP + _reason(error)


def _reason(error: BaseException | None) -> str:
    """What the parser did not like, without the bytes themselves."""
    reason, quoted, _ = str(getattr(error, "message", "")).partition(":\n\n")
    return f": {' '.join(reason.split())}" if quoted or reason in PLAIN_REASONS else ""
