"""The body of a request, in bounded memory and time."""

import asyncio

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from controlplane.wire.faults import MalformedHttpRequest, RequestTimeout, RequestTooLarge

SECONDS = 60


async def read_body(http: web.Request, limit: int) -> bytes:
    """Raises faults.RequestTooLarge, faults.RequestTimeout, faults.MalformedHttpRequest."""
    if http.content_length is not None and http.content_length > limit:
        raise RequestTooLarge(limit)
    pieces = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in http.content.iter_any():
                size += len(piece)
                if size > limit:
                    raise RequestTooLarge(limit)
                pieces.append(piece)
    except TimeoutError:
        raise RequestTimeout(f"The body did not arrive within {SECONDS} seconds") from None
    except (ClientPayloadError, HttpProcessingError) as error:
        raise MalformedHttpRequest("The body of the request is not well-formed HTTP/1.1") from error
    return b"".join(pieces)
