"""The downloads that GetDownloadUrlForLayer gives addresses of: no password, for as long as the address holds.

Whoever asked for the address has to be allowed the layer still, and the repository to have it, as with a password.
"""

from aiohttp import web

from berth.layers import downloads
from berth.layers.downloads import Download, DownloadExpired
from berth.opening import Opened
from berth.sealing import SealBroken
from dataplane import blobs
from dataplane.call import Call
from dataplane.errors import OciError
from dataplane.host import Target
from dataplane.memory import Memory
from dataplane.passwords import permits_of

METHODS = ("GET", "HEAD")


async def answer(request: web.Request, opened: Opened, memory: Memory) -> web.StreamResponse:
    """The bytes that the address was given for. Raises OciError, EcrError."""
    if request.method not in METHODS:
        allowed = ", ".join(METHODS)
        raise OciError(405, "UNSUPPORTED", f"{request.method[:40]} is not one of {allowed}", {"Allow": allowed})
    download = await _download(request, opened)
    permits = await permits_of(opened.authority, download.principal)
    target = Target("blobs", download.registry, download.name, download.digest)
    call = Call(request, opened, permits, target, memory)
    await call.authorize("ecr:GetDownloadUrlForLayer", call.registry, call.name)
    return await blobs.get(call)


async def _download(request: web.Request, opened: Opened) -> Download:
    try:
        await opened.keyring.meet(request.path.removeprefix(downloads.PATH))
        return downloads.open_path(opened.keyring, request.path)
    except DownloadExpired:
        raise OciError(403, "DENIED", "this download has expired: GetDownloadUrlForLayer gives a new one") from None
    except SealBroken:
        raise OciError(403, "DENIED", "this is not an address that GetDownloadUrlForLayer gave") from None
