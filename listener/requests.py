"""What happens to every request, whatever the plane: an id, a line in the log, and no word about versions."""

import time
import uuid

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from berth.logs import request_id
from listener.faults import SERVER

log = structlog.get_logger()


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id: ours, for one from outside could be anybody's."""
    request_id.set(str(uuid.uuid4()))
    return await handler(request)


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
