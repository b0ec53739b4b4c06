"""Blobs: the bytes of a layer. OCI Distribution 1.1, "Pulling blobs", "Deleting Blobs"."""

import structlog
from aiohttp import web

from berth import layers, repositories
from berth.store.contract import Blob, BlobLost, Redirect
from dataplane import blob_files
from dataplane.call import Call
from dataplane.errors import BlobUnknown, OciError
from dataplane.memory import SMALL

log = structlog.get_logger()


async def head(call: Call) -> web.StreamResponse:
    layer = (await call.memory.layer(call.target)).layer
    return web.Response(headers=blob_files.headers(layer.digest) | {"Content-Length": str(layer.size)})


async def get(call: Call) -> web.StreamResponse:
    layer = (await call.memory.layer(call.target)).layer
    blob = Blob(call.registry, layer.digest)
    try:
        found = await _small(call, blob) if layer.size <= SMALL else None
        return await blob_files.send(call.request, call.store, blob, layer.size, found)
    except BlobLost:
        log.exception("a layer is not in the store", digest=layer.digest, repository=call.name)
        raise OciError(500, "BLOB_UNKNOWN", "the bytes of this layer are lost: see `berth store verify`") from None


async def _small(call: Call, blob: Blob) -> bytes | Redirect:
    """The bytes of a small blob, which are remembered; or where the store has clients fetch them."""
    content = call.memory.recall_content(blob)
    if content is None:
        place = await call.store.locate(blob)
        if isinstance(place, Redirect):
            return place
        content = b"".join([piece async for piece in call.store.read(blob)])
        call.memory.keep_content(blob, content)
    return content


async def delete(call: Call) -> web.StreamResponse:
    repository = await repositories.get(call.database, call.registry, call.name)
    removed = await layers.unlink(call.database, repository, call.target.digest())
    if removed is None:
        raise BlobUnknown
    if not removed:
        raise OciError(409, "DENIED", "an image of this repository needs the layer")
    return web.Response(status=202)
