"""The bytes of a blob on their way out: by the kernel, whole or a range, under the conditions that RFC 9110 has."""

import re

from aiohttp import ETag, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from berth.names import Digest
from berth.store.contract import Blob, BlobLost, Redirect, Store
from dataplane.errors import OciError

OCTETS = "application/octet-stream"
# RFC 9110, "Range Specifiers": one range of bytes. (Several at once are nothing that a registry's client asks for.)
_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,19})-(?P<last>[0-9]{0,19})|-(?P<suffix>[0-9]{1,19}))")
_CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range")


def headers(digest: Digest) -> dict[str, str]:
    return {"Docker-Content-Digest": digest, "Accept-Ranges": "bytes", "ETag": f'"{digest}"', "Content-Type": OCTETS}


async def send(request: web.Request, store: Store, blob: Blob, size: int) -> web.StreamResponse:
    """The answer to a GET or HEAD of the blob. Raises OciError (412, 416), BlobLost."""
    digest = blob.digest
    wanted, had = request.if_match, request.if_none_match
    if wanted is not None and not _names(wanted, digest):
        raise OciError(412, "DENIED", f"If-Match does not name '{digest}', which is what is here")
    if had is not None and _names(had, digest):
        return web.Response(status=304, headers=headers(digest))
    _check_range(request, size)
    place = await store.locate(blob)
    if isinstance(place, Redirect):
        return web.Response(status=307, headers=headers(digest) | {"Location": place.url})
    if place is None or not place.exists():
        raise BlobLost(digest)
    return _BlobFile(place, headers=headers(digest))


def _names(tags: tuple[ETag, ...], digest: Digest) -> bool:
    return any(tag.value in {"*", digest} for tag in tags)


def _check_range(request: web.Request, size: int) -> None:
    header = request.headers.get("Range")
    if header is None:
        return
    matched = _RANGE.fullmatch(header.strip())
    if matched is not None:
        first, last, suffix = matched["first"], matched["last"], matched["suffix"]
        if int(suffix or 0) > 0 or (first and int(first) < size and (not last or int(first) <= int(last))):
            return
    message = f"'{header[:100]}' is not one range, such as bytes=0-99, within the {size} bytes of the layer"
    raise OciError(416, "RANGE_INVALID", message, {"Content-Range": f"bytes */{size}"})


class _BlobFile(web.FileResponse):
    """A file that never changes and is called by what is in it, which aiohttp would call by its time and size."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        if any(name in request.headers for name in _CONDITIONS):
            headers = CIMultiDict(request.headers)
            for name in _CONDITIONS:
                headers.popall(name, None)
            request = request.clone(headers=headers)
        return await super().prepare(request)

    @property
    def etag(self) -> ETag | None:
        return super().etag

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        del value
