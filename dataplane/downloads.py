"""The downloads that GetDownloadUrlForLayer gives addresses of: no password, for as long as the address holds."""

from aiohttp import web

from berth import downloads
from berth.downloads import DownloadExpired
from berth.opening import Opened
from berth.sealing import SealBroken
from dataplane import blob_files
from dataplane.errors import BlobUnknown, OciError

METHODS = ("GET", "HEAD")


async def answer(request: web.Request, opened: Opened) -> web.StreamResponse:
    """The bytes that the address was given for. Raises OciError."""
    if request.method not in METHODS:
        allowed = ", ".join(METHODS)
        raise OciError(405, "UNSUPPORTED", f"{request.method[:40]} is not one of {allowed}", {"Allow": allowed})
    try:
        await opened.keyring.meet(request.path.removeprefix(downloads.PATH))
        blob = downloads.open_path(opened.keyring, request.path)
    except DownloadExpired:
        raise OciError(403, "DENIED", "this download has expired: GetDownloadUrlForLayer gives a new one") from None
    except SealBroken:
        raise OciError(403, "DENIED", "this is not an address that GetDownloadUrlForLayer gave") from None
    size = await opened.store.size(blob)
    if size is None:
        raise BlobUnknown
    return await blob_files.send(request, opened.store, blob, size)
