"""Blobs: the bytes of a layer. OCI Distribution 1.1, "Pulling blobs", "Deleting Blobs"."""

import structlog
from aiohttp import web

from berth import layers, repositories
from berth.layers import Layer
from berth.store.contract import Blob, BlobLost
from dataplane import blob_files
from dataplane.call import Call
from dataplane.errors import BlobArchived, BlobUnknown, OciError

log = structlog.get_logger()


async def head(call: Call) -> web.StreamResponse:
    layer = await _find(call)
    return web.Response(headers=blob_files.headers(layer.digest) | {"Content-Length": str(layer.size)})


async def get(call: Call) -> web.StreamResponse:
    layer = await _find(call)
    blob = Blob(call.registry, layer.digest)
    try:
        return await blob_files.send(call.request, call.store, blob, layer.size)
    except BlobLost:
        log.exception("a layer is not in the store", digest=layer.digest, repository=call.name)
        raise OciError(500, "BLOB_UNKNOWN", "the bytes of this layer are lost: see `berth store verify`") from None


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
    if layer.is_archived:
        raise BlobArchived
    return layer
