"""The body of a request, in bounded memory and time."""

import asyncio

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from controlplane.wire.faults import MalformedHttpRequest, RequestTimeout, RequestTooLarge

SECONDS = 120


async def read_body(http: web.Request, limit: int) -> bytearray:
    """Raises faults.RequestTooLarge, faults.RequestTimeout, faults.MalformedHttpRequest."""
    if http.content_length is not None and http.content_length > limit:
        raise RequestTooLarge(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in http.content.iter_any():
                if len(body) + len(piece) > limit:
                    raise RequestTooLarge(limit)
                body += piece
    except TimeoutError:
        raise RequestTimeout(f"The body did not arrive within {SECONDS} seconds") from None
    except (ClientPayloadError, HttpProcessingError, ConnectionError) as error:
        raise MalformedHttpRequest("The body of the request did not arrive whole and well-formed") from error
    return body
