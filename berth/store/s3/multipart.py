"""An object that is made of parts. Amazon S3 user guide, "Uploading and copying objects using multipart upload"."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from berth.store.contract import StoreUnavailable
from berth.store.s3.bucket import COPY_SECONDS, OCTETS, Bucket
from berth.store.s3.faults import S3Missing
from berth.store.s3.wire import Bytes

# 10,000 of them are 78 GiB, more than a layer may have; and some servers want all of one size.
PART_BYTES = 8 << 20
COPIED_PART_BYTES = 256 << 20
COPIES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Source:
    """Part of an object: the bytes from `first` to `last`, both inclusive."""

    key: str
    first: int
    last: int


class Multipart:
    """A multipart upload to `key`, under way. Its parts are visible to nobody until it is completed."""

    def __init__(self, bucket: Bucket, key: str, upload_id: str) -> None:
        self._bucket = bucket
        self._key = key
        self._id = upload_id

    @classmethod
    async def begin(cls, bucket: Bucket, key: str, *, with_checksums: bool) -> "Multipart":
        headers = OCTETS | ({"x-amz-checksum-algorithm": "CRC32"} if with_checksums else {})
        answer = await bucket.wire.ask("POST", bucket.full(key), {"uploads": ""}, headers)
        return cls(bucket, key, answer.xml().findtext("{*}UploadId", ""))

    async def part(self, number: int, content: Bytes, checksum: str) -> str:
        """Upload the part; return what completing says of it."""
        headers = {"x-amz-checksum-crc32": checksum}
        answer = await self._bucket.wire.ask("PUT", self._path, self._query(number), headers, content)
        return _part(number, answer.headers["ETag"], checksum)

    async def copied_part(self, number: int, source: Source) -> str:
        headers = {
            "x-amz-copy-source": self._bucket.copy_source(source.key),
            "x-amz-copy-source-range": f"bytes={source.first}-{source.last}",
        }
        answer = await self._bucket.wire.ask("PUT", self._path, self._query(number), headers, seconds=COPY_SECONDS)
        return _part(number, answer.xml().findtext("{*}ETag", ""))

    async def complete(self, parts: Sequence[str], size: int) -> None:
        body = f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()
        try:
            await self._bucket.wire.ask("POST", self._path, {"uploadId": self._id}, body=body, seconds=COPY_SECONDS)
        except S3Missing:
            # Done by an attempt whose answer was lost on the way.
            if await self._bucket.size(self._key) != size:
                raise

    async def abort(self) -> None:
        """Forget the parts; where the bucket does not let us, whoever looks for stale uploads does."""
        with contextlib.suppress(StoreUnavailable):
            await self._bucket.abort_multipart(self._key, self._id)

    @property
    def _path(self) -> str:
        return self._bucket.full(self._key)

    def _query(self, number: int) -> dict[str, str | int]:
        return {"partNumber": number, "uploadId": self._id}


def _part(number: int, etag: str, checksum: str | None = None) -> str:
    crc = f"<ChecksumCRC32>{checksum}</ChecksumCRC32>" if checksum else ""
    return f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag>{crc}</Part>"


async def upload(bucket: Bucket, key: str, parts: AsyncIterable[tuple[Bytes, str]]) -> int:
    """Write the parts, each with its checksum, as one object; return its size. All but the last have PART_BYTES.

    While one is on its way, the next is gathered: so no more than two are in memory. Where it fails, nothing is left.
    """
    multipart: Multipart | None = None
    sending: asyncio.Task[str] | None = None
    sent: list[str] = []
    size = 0
    try:
        async for content, checksum in parts:
            size += len(content)
            if multipart is None and len(content) < PART_BYTES:
                await bucket.put(key, content, checksum)
                continue
            multipart = multipart or await Multipart.begin(bucket, key, with_checksums=True)
            if sending is not None:
                sent.append(await sending)
            sending = asyncio.create_task(multipart.part(len(sent) + 1, content, checksum))
            del content
        if multipart is not None and sending is not None:
            sent.append(await sending)
            await multipart.complete(sent, size)
    except BaseException:
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if multipart is not None:
            await multipart.abort()
        raise
    return size


async def assemble(bucket: Bucket, key: str, sources: Sequence[Source]) -> None:
    """Make `key` of parts of other objects, of which all but the last have 5 MiB at least, within the bucket."""
    multipart = await Multipart.begin(bucket, key, with_checksums=False)
    slots = asyncio.Semaphore(COPIES_AT_ONCE)

    async def copied(number: int, source: Source) -> str:
        async with slots:
            return await multipart.copied_part(number, source)

    try:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(copied(number, source)) for number, source in enumerate(sources, 1)]
        except* StoreUnavailable as failures:
            raise failures.exceptions[0] from None
        await multipart.complete(
            [task.result() for task in tasks], sum(source.last - source.first + 1 for source in sources)
        )
    except BaseException:
        await multipart.abort()
        raise
