"""The downloads that GetDownloadUrlForLayer gives addresses of: no password, for as long as the address holds."""

from aiohttp import web

from berth import downloads
from berth.downloads import DownloadExpired
from berth.opening import Opened
from berth.sealing import SealBroken
from dataplane import errors
from dataplane.blobs import OCTETS, check_range
from dataplane.errors import BlobUnknown, OciError


async def get(request: web.Request, opened: Opened) -> web.StreamResponse:
    try:
        return await _get(request, opened)
    except OciError as error:
        return errors.response(error)


async def _get(request: web.Request, opened: Opened) -> web.StreamResponse:
    try:
        blob = downloads.open_path(opened.keyring, request.path)
    except DownloadExpired:
        raise OciError(403, "DENIED", "this download has expired: GetDownloadUrlForLayer gives a new one") from None
    except SealBroken:
        raise OciError(403, "DENIED", "this is not an address that GetDownloadUrlForLayer gave") from None
    size = await opened.store.size(blob)
    if size is None:
        raise BlobUnknown
    check_range(request, size)
    headers = {"Docker-Content-Digest": blob.digest, "Content-Type": OCTETS, "ETag": f'"{blob.digest}"'}
    return web.FileResponse(opened.store.path(blob), headers=headers)
