"""The body of a request, in bounded memory and time."""

import asyncio
import zlib

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from controlplane.wire.faults import MalformedHttpRequest, RequestTimeout, RequestTooLarge

SECONDS = 120
# zlib's way to say that a gzip header comes first.
GZIP_WINDOW = 31
PLAIN = ("", "identity")


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


def is_packed(http: web.Request) -> bool:
    return _encoding(http) not in PLAIN


def unpacked(http: web.Request, body: bytes | bytearray, limit: int) -> bytes | bytearray:
    """The body without its Content-Encoding, which may be gzip (Smithy, "Request compression").

    Raises faults.RequestTooLarge for more than `limit` bytes, faults.MalformedHttpRequest.
    """
    encoding = _encoding(http)
    if encoding in PLAIN:
        return body
    if encoding != "gzip":
        raise MalformedHttpRequest(f"The Content-Encoding '{encoding[:40]}' is none of gzip, identity")
    unpacking = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = unpacking.decompress(body, limit + 1)
    except zlib.error:
        plain = b""
    if len(plain) > limit:
        raise RequestTooLarge(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise MalformedHttpRequest("The body is not whole and well-formed gzip, as its Content-Encoding says")
    return plain


def _encoding(http: web.Request) -> str:
    return http.headers.get("Content-Encoding", "").strip().lower()
