"""The body of a request, as it comes: in order, not garbled, and without long pauses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dataplane.errors import OciError

# A sender that is waited for so long without so many bytes is gone, or holds on to what it has (a connection, a claim
# on an upload) by a byte now and then: it is given free.
STALL_SECONDS = 60
LEAST_BYTES = 16 * 1024


class Patience:
    """How long a sender is waited for yet. Only the time that it takes counts, not that of whoever writes what came."""

    def __init__(self) -> None:
        self.seconds: float = STALL_SECONDS
        self._missing = LEAST_BYTES

    def waited(self, seconds: float, received: int) -> None:
        self.seconds -= seconds
        self._missing -= received
        if self._missing <= 0:
            self.seconds, self._missing = STALL_SECONDS, LEAST_BYTES


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """Turn what a sender may do wrong into OciError."""
    try:
        yield
    except TimeoutError:
        message = f"fewer than {LEAST_BYTES} bytes of the body came in {STALL_SECONDS} seconds"
        raise OciError(408, "BLOB_UPLOAD_INVALID", message, {"Connection": "close"}) from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        message = "the body of the request is not well-formed HTTP/1.1, or it broke off"
        raise OciError(400, "UNSUPPORTED", message, {"Connection": "close"}) from None


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Raises OciError (400, 408)."""
    clock = asyncio.get_running_loop().time
    patience = Patience()
    while True:
        began = clock()
        with faults():
            async with asyncio.timeout(patience.seconds):
                chunk = await request.content.readany()
        if not chunk:
            return
        patience.waited(clock() - began, len(chunk))
        yield chunk
