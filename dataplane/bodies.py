"""The body of a request, as it comes: in order, not garbled, and without long pauses."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dataplane.errors import OciError

# A sender that is waited for so long without so many bytes is gone, or holds on to what it has (a connection, a claim
# on an upload) by a byte now and then: it is given free.
STALL_SECONDS = 60
LEAST_BYTES = 16 * 1024


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Raises OciError (400, 408)."""
    clock = asyncio.get_running_loop().time
    patience: float = STALL_SECONDS
    missing = LEAST_BYTES
    while True:
        began = clock()
        try:
            async with asyncio.timeout(patience):
                chunk = await request.content.readany()
        except TimeoutError:
            message = f"fewer than {LEAST_BYTES} bytes of the body came in {STALL_SECONDS} seconds"
            raise OciError(408, "BLOB_UPLOAD_INVALID", message, {"Connection": "close"}) from None
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            message = "the body of the request is not well-formed HTTP/1.1, or it broke off"
            raise OciError(400, "UNSUPPORTED", message, {"Connection": "close"}) from None
        if not chunk:
            return
        # Only the time that the sender takes is counted, not that of whoever writes what came.
        patience, missing = patience - (clock() - began), missing - len(chunk)
        if missing <= 0:
            patience, missing = STALL_SECONDS, LEAST_BYTES
        yield chunk
