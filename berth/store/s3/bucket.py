"""The objects of one bucket. Amazon S3 API reference."""

import asyncio
import base64
import contextlib
import random
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from berth.store.s3.access import Access
from berth.store.s3.faults import S3Missing, S3Passing, S3Refused
from berth.store.s3.wire import ATTEMPTS, Bytes, Wire

COPY_SECONDS = 300.0
OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class Listed:
    """An object, or a multipart upload, which has no size."""

    key: str
    written_at: datetime
    size: int = 0
    upload_id: str = ""


def crc32(content: Bytes) -> str:
    """As S3 writes it."""
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


class Bucket:
    """Keys here are without the prefix. Every method raises StoreUnavailable, as S3Refused where S3 says why."""

    def __init__(self, access: Access) -> None:
        self.wire = Wire(access)
        self._name = access.bucket
        self._prefix = f"{access.prefix}/" if access.prefix else ""

    def full(self, key: str) -> str:
        return self._prefix + key

    async def check(self) -> None:
        await self.wire.ask("HEAD")

    async def size(self, key: str) -> int | None:
        """In bytes; None where there is no such object."""
        try:
            answer = await self.wire.ask("HEAD", self.full(key))
        except S3Missing:
            return None
        return int(answer.headers["Content-Length"])

    async def put(self, key: str, content: Bytes, checksum: str) -> None:
        """`checksum`: the CRC-32 of `content`, which the server compares with what it received."""
        headers = OCTETS | {"x-amz-checksum-crc32": checksum}
        await self.wire.ask("PUT", self.full(key), headers=headers, body=content)

    async def copy(self, source: str, target: str) -> None:
        """Copy an object of at most 5 GiB within the bucket."""
        headers = {"x-amz-copy-source": self.copy_source(source)}
        await self.wire.ask("PUT", self.full(target), headers=headers, seconds=COPY_SECONDS)

    def copy_source(self, key: str) -> str:
        return f"/{self._name}/{self.full(key)}"

    async def delete(self, key: str) -> None:
        """No error where there is no such object."""
        with contextlib.suppress(S3Missing):
            await self.wire.ask("DELETE", self.full(key))

    async def read(self, key: str, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `first` to `last`, both inclusive; where the connection breaks, go on in another.

        Raises S3Missing.
        """
        failures = 0
        while last is None or first <= last:
            is_whole = first == 0 and last is None
            byte_range = None if is_whole else f"bytes={first}-{'' if last is None else last}"
            try:
                async with self.wire.get(self.full(key), byte_range) as stream:
                    while chunk := await stream.readany():
                        first += len(chunk)
                        failures = 0
                        yield chunk
                    return
            except S3Passing:
                failures += 1
                if failures == ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0, 0.2 * 2**failures))
            except S3Refused as refused:
                if refused.code == "InvalidRange":
                    return
                raise

    async def presigned(self, key: str, seconds: int) -> str:
        """An address from which clients may GET the object for so long."""
        return await self.wire.presigned(self.full(key), seconds)

    async def list(self, under: str) -> AsyncIterator[Listed]:
        """The objects whose keys begin with `under`, in the order of their keys."""
        query: dict[str, str | int] = {"list-type": 2, "prefix": self.full(under)}
        while True:
            answer = (await self.wire.ask("GET", query=query)).xml()
            for entry in answer.iterfind("{*}Contents"):
                key, at = entry.findtext("{*}Key", ""), entry.findtext("{*}LastModified", "")
                size = int(entry.findtext("{*}Size", "0"))
                yield Listed(key.removeprefix(self._prefix), datetime.fromisoformat(at), size)
            token = answer.findtext("{*}NextContinuationToken")
            if answer.findtext("{*}IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token

    async def list_multiparts(self, under: str) -> AsyncIterator[Listed]:
        """The multipart uploads under way to keys that begin with `under`."""
        query: dict[str, str | int] = {"uploads": "", "prefix": self.full(under)}
        while True:
            answer = (await self.wire.ask("GET", query=query)).xml()
            for entry in answer.iterfind("{*}Upload"):
                key, at = entry.findtext("{*}Key", ""), entry.findtext("{*}Initiated", "")
                upload_id = entry.findtext("{*}UploadId", "")
                yield Listed(key.removeprefix(self._prefix), datetime.fromisoformat(at), upload_id=upload_id)
            if answer.findtext("{*}IsTruncated") != "true":
                return
            query["key-marker"] = answer.findtext("{*}NextKeyMarker", "")
            query["upload-id-marker"] = answer.findtext("{*}NextUploadIdMarker", "")

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        with contextlib.suppress(S3Missing):
            await self.wire.ask("DELETE", self.full(key), {"uploadId": upload_id})
