"""Blobs: the bytes of a layer. OCI Distribution 1.1, "Pulling blobs", "Deleting Blobs"."""

import re

import structlog
from aiohttp import web

from berth import layers, repositories
from berth.layers import Layer
from berth.store.contract import Blob
from dataplane.call import Call
from dataplane.errors import BlobUnknown, OciError

log = structlog.get_logger()

OCTETS = "application/octet-stream"
# RFC 9110, "Range Specifiers": one range of bytes. (Several at once are nothing that a registry's client asks for.)
_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,19})-(?P<last>[0-9]{0,19})|-(?P<suffix>[0-9]{1,19}))")


async def head(call: Call) -> web.StreamResponse:
    layer = await _find(call)
    return web.Response(headers=_headers(layer) | {"Content-Length": str(layer.size), "Content-Type": OCTETS})


async def get(call: Call) -> web.StreamResponse:
    layer = await _find(call)
    check_range(call.request, layer.size)
    path = call.store.path(Blob(call.registry, layer.digest))
    if not path.exists():
        log.error("a layer is not in the store", digest=layer.digest, repository=call.name)
        raise OciError(500, "BLOB_UNKNOWN", "the bytes of this layer are lost: `berth doctor` helps to find them")
    # The kernel sends the file; aiohttp reads the Range.
    return web.FileResponse(path, headers=_headers(layer) | {"Content-Type": OCTETS})


async def delete(call: Call) -> web.StreamResponse:
    repository = await repositories.get(call.database, call.registry, call.name)
    removed = await layers.unlink(call.database, repository, call.target.digest())
    if removed is None:
        raise BlobUnknown
    if not removed:
        raise OciError(409, "DENIED", "an image of this repository needs the layer")
    return web.Response(status=202)


async def _find(call: Call) -> Layer:
    layer = await layers.find(call.database, call.registry, call.name, call.target.digest())
    if layer is None:
        raise BlobUnknown
    return layer


def _headers(layer: Layer) -> dict[str, str]:
    return {"Docker-Content-Digest": layer.digest, "Accept-Ranges": "bytes", "ETag": f'"{layer.digest}"'}


def check_range(request: web.Request, size: int) -> None:
    """Raise OciError (416) for a Range header that is not one range within `size` bytes."""
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
