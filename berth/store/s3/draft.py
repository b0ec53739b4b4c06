"""An upload on its way into a bucket."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator

from berth.names import Digest
from berth.store.contract import Blob, DigestMismatch, UploadLost, Written
from berth.store.hashing import Hashed
from berth.store.s3.bucket import Bucket, crc32
from berth.store.s3.faults import S3Missing
from berth.store.s3.keys import key_of
from berth.store.s3.multipart import COPIED_PART_BYTES, assemble, upload
from berth.store.s3.pieces import LEAST_PIECE_BYTES, Piece, hashed_parts


class S3Draft:
    """Implements berth.store.contract.Draft on pieces that nobody changes; so it needs no lock.

    Of two that write to one upload at a time, both write pieces of their own, and the row takes the one's.
    """

    def __init__(self, bucket: Bucket, upload_id: uuid.UUID, hashed: Hashed | None) -> None:
        self._bucket = bucket
        self._upload = upload_id
        self.hashed = hashed
        # What nobody needs where all goes well, and what nobody needs where it does not.
        self.outdated: list[Piece] = []
        self.added: list[Piece] = []

    async def append(self, written: Written, chunks: AsyncIterator[bytes]) -> Written:
        pieces = await self._present(written)
        hashed = Hashed.nothing() if written.size == 0 else self.hashed
        if hashed is not None and hashed.size != written.size:
            hashed = None
        self.hashed = None
        kept, beginning = await self._absorb(pieces)
        piece = Piece.new(written.size - len(beginning))
        parts = hashed_parts(beginning, chunks, None if hashed is None else hashed.hash)
        size = await upload(self._bucket, piece.key(self._upload), parts)
        if size:
            piece = Piece(piece.name, size)
            self.added.append(piece)
            self.outdated += pieces[len(kept) :]
            pieces = [*kept, piece]
        total = sum(piece.size for piece in pieces)
        if hashed is not None:
            hashed.size = total
        self.hashed = hashed
        return Written(total, None if hashed is None else hashed.digest, tuple(map(str, pieces)))

    async def prepare(self, written: Written, blob: Blob) -> None:
        pieces = Piece.all_of(written)
        actual = written.digest
        if actual is None or actual.algorithm != blob.digest.algorithm:
            actual = await self._digest(pieces, blob.digest.algorithm)
        if actual != blob.digest:
            raise DigestMismatch(blob.digest, actual)
        await self._copy(pieces, blob)

    async def place(self, written: Written, blob: Blob) -> None:
        # Until the row of the bytes was held, it may have been thought that nobody needs them.
        pieces = Piece.all_of(written)
        if await self._bucket.size(key_of(blob)) != written.size:
            await self._copy(pieces, blob)
        self.outdated += pieces
        self.hashed = None

    async def _present(self, written: Written) -> list[Piece]:
        pieces = Piece.all_of(written)
        if pieces and await self._bucket.size(pieces[-1].key(self._upload)) != pieces[-1].size:
            raise UploadLost(str(self._upload))
        return pieces

    async def _absorb(self, pieces: list[Piece]) -> tuple[list[Piece], bytes]:
        """The pieces that stay, and the bytes of the last one where it is too small to be followed by another."""
        if not pieces or pieces[-1].size >= LEAST_PIECE_BYTES:
            return pieces, b""
        return pieces[:-1], b"".join([chunk async for chunk in self._read(pieces[-1])])

    async def _read(self, piece: Piece) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._bucket.read(piece.key(self._upload)):
                yield chunk
        except S3Missing as error:
            raise UploadLost(str(self._upload)) from error

    async def _digest(self, pieces: list[Piece], algorithm: str) -> Digest:
        hashed = hashlib.new(algorithm)
        for piece in pieces:
            async for chunk in self._read(piece):
                await asyncio.to_thread(hashed.update, chunk)
        return Digest(f"{algorithm}:{hashed.hexdigest()}")

    async def _copy(self, pieces: list[Piece], blob: Blob) -> None:
        key = key_of(blob)
        try:
            if not pieces:
                await self._bucket.put(key, b"", crc32(b""))
            elif len(pieces) == 1 and pieces[0].size <= COPIED_PART_BYTES:
                await self._bucket.copy(pieces[0].key(self._upload), key)
            else:
                await assemble(
                    self._bucket, key, [source for piece in pieces for source in piece.sources(self._upload)]
                )
        except S3Missing as error:
            raise UploadLost(str(self._upload)) from error
