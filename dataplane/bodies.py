"""The body of a request, as it comes: in order, not garbled, and without long pauses."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dataplane.errors import OciError

# A sender that is silent for so long is gone; what it held (a connection, a claim on an upload) is given free.
STALL_SECONDS = 60


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Raises OciError (400, 408)."""
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                chunk = await request.content.readany()
        except TimeoutError:
            message = f"the body came no further for {STALL_SECONDS} seconds"
            raise OciError(408, "BLOB_UPLOAD_INVALID", message, {"Connection": "close"}) from None
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            message = "the body of the request is not well-formed HTTP/1.1, or it broke off"
            raise OciError(400, "UNSUPPORTED", message, {"Connection": "close"}) from None
        if not chunk:
            return
        yield chunk
