"""What happens to every request, whatever the plane: an id, a line in the log, and no word about versions."""

import re
import time
from http import HTTPStatus

import structlog
from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler

from berth.logs import name_request
from listener.faults import ANSWER_FAULT, NOT_HTTP, answer_plainly
from listener.prompt import SERVER

log = structlog.get_logger()

VERSIONS = (HttpVersion10, HttpVersion11)
# RFC 9110, "Host": anything else must be refused. (The underscore is for the names of containers.)
HOST = re.compile(r"([A-Za-z0-9._-]{0,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, and refuse one of another HTTP or to a host that is none."""
    name_request()
    fault = None
    if request.version not in VERSIONS:
        fault = "the version is another one"
    elif HOST.fullmatch(request.headers.get("Host", "")) is None:
        fault = "the header Host is not the name of a host, or its address, and a port"
    answer = request.app.get(ANSWER_FAULT, answer_plainly)
    if fault:
        return answer(HTTPStatus.BAD_REQUEST, f"{NOT_HTTP}: {fault}")
    try:
        return await handler(request)
    except web.HTTPNotFound:
        # The target is no path that a plane could have: `*`, or the host of a tunnel.
        return answer(HTTPStatus.NOT_FOUND, "There is nothing at this address")


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Tell a client that waits for it to go on. (As `expect_handler` of a route, before any middleware.)"""
    if request.version < HttpVersion11:
        return None
    if request.headers["Expect"].lower() != "100-continue":
        name_request()
        text = "The header Expect asks for more than 100-continue, which is all that it can"
        return request.app.get(ANSWER_FAULT, answer_plainly)(HTTPStatus.EXPECTATION_FAILED, text)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0
    return None


@web.middleware
async def account(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log the request: neither its query nor its headers, which may hold secrets."""
    started = time.monotonic()
    status = 500
    size = 0
    try:
        response = await handler(request)
        status, size = response.status, response.body_length if response.prepared else response.content_length or 0
    except web.HTTPException as answer:
        status, size = answer.status, answer.content_length or 0
        raise
    finally:
        milliseconds = round((time.monotonic() - started) * 1000, 1)
        log.debug("request", method=request.method, path=request.path, status=status, bytes=size, ms=milliseconds)
    return response


async def name_server(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER
