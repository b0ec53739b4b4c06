"""The bytes of a blob on their way out: from memory, from a file by the kernel, from elsewhere, or piece by piece."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import BinaryIO

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from berth.names import Digest
from berth.store.contract import Blob, BlobLost, Redirect, Store, StoreUnavailable
from dataplane import conditions
from dataplane.conditions import Part

log = structlog.get_logger()

OCTETS = "application/octet-stream"


def headers(digest: Digest) -> dict[str, str]:
    return {"Docker-Content-Digest": digest, "Accept-Ranges": "bytes", "ETag": f'"{digest}"', "Content-Type": OCTETS}


async def send(
    request: web.Request, store: Store, blob: Blob, size: int, found: bytes | Redirect | None = None
) -> web.StreamResponse:
    """The answer to a GET or HEAD of the blob, of which all may be `found` already, or where else it is fetched.

    Raises OciError (412, 416), BlobLost.
    """
    named = headers(blob.digest)
    if conditions.is_known(request, blob.digest):
        return web.Response(status=304, headers=named)
    if request.method == "HEAD":
        return web.Response(headers=named | {"Content-Length": str(size)})
    part = conditions.part(request, size)
    status, told = 200 if part.is_whole else 206, named | part.headers(size)
    place = await store.locate(blob) if found is None else found
    if isinstance(place, bytes):
        return web.Response(status=status, headers=told, body=place[part.first : part.last + 1])
    if isinstance(place, Redirect):
        return web.Response(status=307, headers=named | {"Location": place.url})
    if isinstance(place, Path):
        return _File(_open(place, blob), part, status=status, headers=told)
    pieces = store.read(blob, part.first, part.last)
    # Whether there is anything is clear before the head says so.
    return _Pieces(await anext(pieces, b""), pieces, status=status, headers=told)


def _open(path: Path, blob: Blob) -> BinaryIO:
    try:
        # In no thread: it takes a tenth of what a thread would, and the kernel reads from it in this thread, too.
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        raise BlobLost(blob.digest) from None
    except OSError as error:
        raise StoreUnavailable(f"the store answers: {error.strerror}") from error


class _File(web.StreamResponse):
    """Sends a part of a file, from the kernel to the kernel where the connection is a plain one."""

    def __init__(self, file: BinaryIO, part: Part, *, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self._file = file
        self._part = part

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        with self._file:
            writer = await super().prepare(request)
            transport, length = request.transport, self._part.length
            if not length:
                return writer
            if transport is None or transport.is_closing():
                raise ConnectionResetError("the client is gone")
            sent = await asyncio.get_running_loop().sendfile(transport, self._file, self._part.first, length)
        if sent != length:
            raise _cut_short(self.headers, "the file is shorter than the layer")
        return writer


class _Pieces(web.StreamResponse):
    """Sends what a store reads, as fast as the client takes it."""

    def __init__(self, first: bytes, others: AsyncIterator[bytes], *, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self._first = first
        self._others = others

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        async with contextlib.aclosing(self._others):  # type: ignore[type-var]
            writer = await super().prepare(request)
            left = int(self.headers["Content-Length"]) - len(self._first)
            await self.write(self._first)
            try:
                async for piece in self._others:
                    left -= len(piece)
                    await self.write(piece)
            except (BlobLost, StoreUnavailable) as error:
                raise _cut_short(self.headers, str(error)) from error
        if left:
            raise _cut_short(self.headers, "the store has another number of bytes than the layer")
        return writer


def _cut_short(headers: Mapping[str, str], reason: str) -> ConnectionError:
    """The connection is to end, so that the client sees that what it has is not all."""
    log.error("a layer could not be sent to its end", digest=headers["Docker-Content-Digest"], reason=reason)
    return ConnectionAbortedError(reason)
