"""Uploads: a layer on its way into a repository, in one request or in many, over either plane."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from berth import layers
from berth.db import Database
from berth.errors import (
    EmptyUpload,
    InvalidLayer,
    LayerAlreadyExists,
    LayerPartTooSmall,
    LimitExceeded,
    UploadNotFound,
)
from berth.layers import Layer
from berth.names import Digest
from berth.repositories import Repository, hold
from berth.schema import uploads
from berth.store.contract import Blob, DigestMismatch, Draft, Store, UploadLost

# ECR user guide, "Amazon ECR service quotas": layer parts of 5 MiB to 10 MiB, layers of at most 52,000 MiB.
PART_BYTES = 10 * 1024 * 1024
MIN_PART_BYTES = 5 * 1024 * 1024
MAX_LAYER_BYTES = 52_000 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way: `received` bytes of it are acknowledged."""

    id: uuid.UUID
    repository: Repository
    received: int = 0
    last_part_size: int | None = None
    has_short_part: bool = False


class OutOfOrder(Exception):
    """The bytes do not continue the upload: another request was faster, or some are missing."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the upload has {received} bytes, and goes on there")
        self.received = received


async def begin(database: Database, store: Store, repository: Repository, principal: str) -> Upload:
    """A new upload, empty."""
    upload = Upload(uuid.uuid4(), repository)
    await store.begin(upload.id)
    async with database.transaction() as connection:
        held = await hold(connection, repository.registry, repository.name)
        row = {"id": upload.id, "repository_id": held.id, "principal": principal}
        await connection.execute(insert(uploads).values(row))
    return upload


async def get(database: Database, repository: Repository, upload_id: uuid.UUID) -> Upload:
    """Raises UploadNotFound, also for an upload into another repository."""
    question = select(uploads).where(uploads.c.id == upload_id, uploads.c.repository_id == repository.id)
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise UploadNotFound(repository.registry, repository.name, upload_id)
    return Upload(row.id, repository, row.received, row.last_part_size, row.has_short_part)


async def append(
    database: Database,
    store: Store,
    repository: Repository,
    upload_id: uuid.UUID,
    chunks: AsyncIterator[bytes],
    *,
    first_byte: int | None = None,
    is_part: bool = False,
) -> Upload:
    """Continue the upload with `chunks`, written as they come; `first_byte`, where given, must be where it goes on.

    `is_part`: a layer part of the ECR API, of which only the last may be small.
    Raises UploadNotFound, OutOfOrder, LimitExceeded, UploadBusy.
    """
    async with _claimed(database, store, repository, upload_id, first_byte) as (upload, draft):
        grown = await _append(draft, upload, chunks, is_part=is_part)
        await _acknowledge(database, grown)
    return grown


async def complete(
    database: Database,
    store: Store,
    repository: Repository,
    upload_id: uuid.UUID,
    digest: Digest,
    *,
    last_chunks: AsyncIterator[bytes] | None = None,
    first_byte: int | None = None,
) -> Layer:
    """Make the upload, with `last_chunks`, the layer `digest` of its repository: durable when this returns.

    Raises UploadNotFound, OutOfOrder, LimitExceeded, UploadBusy; InvalidLayer where the bytes have another digest:
    then the upload is as it was before.
    """
    async with _claimed(database, store, repository, upload_id, first_byte) as (upload, draft):
        if last_chunks is not None:
            upload = await _append(draft, upload, last_chunks)
        await _store(draft, upload.received, Blob(repository.registry, digest))
        await _link(database, upload, digest)
    return Layer(digest, upload.received)


async def complete_parts(
    database: Database, store: Store, repository: Repository, upload_id: uuid.UUID, digest: Digest
) -> Layer:
    """Complete an upload by the rules of CompleteLayerUpload.

    Raises also EmptyUpload, LayerPartTooSmall, LayerAlreadyExists.
    """
    async with _claimed(database, store, repository, upload_id, None) as (upload, draft):
        if upload.received == 0:
            raise EmptyUpload(upload_id)
        if upload.has_short_part:
            raise LayerPartTooSmall(MIN_PART_BYTES)
        await _store(draft, upload.received, Blob(repository.registry, digest))
        if not await _link(database, upload, digest):
            raise LayerAlreadyExists(repository.registry, repository.name, digest)
    return Layer(digest, upload.received)


async def put(
    database: Database, store: Store, repository: Repository, digest: Digest, chunks: AsyncIterator[bytes]
) -> Layer:
    """A whole layer in one request. Raises InvalidLayer, LimitExceeded."""
    upload = Upload(uuid.uuid4(), repository)
    await store.begin(upload.id)
    try:
        async with store.claim(upload.id) as draft:
            upload = await _append(draft, upload, chunks)
            await _store(draft, upload.received, Blob(repository.registry, digest))
            await _link(database, upload, digest)
    finally:
        await store.abandon(upload.id)
    return Layer(digest, upload.received)


async def cancel(database: Database, store: Store, upload: Upload) -> None:
    """Forget the upload and what was received of it."""
    async with database.transaction() as connection:
        await connection.execute(delete(uploads).where(uploads.c.id == upload.id))
    await store.abandon(upload.id)


async def expire(database: Database, store: Store, untouched_for: timedelta) -> int:
    """Remove the uploads that nobody touched for so long, and what the store holds of such; return their number."""
    before = datetime.now(UTC) - untouched_for
    statement = delete(uploads).where(uploads.c.touched_at < before).returning(uploads.c.id)
    async with database.transaction() as connection:
        expired = list((await connection.execute(statement)).scalars())
    for upload_id in expired:
        await store.abandon(upload_id)
    # Those of deleted repositories, and of processes that died between the bytes and the row.
    await store.sweep(untouched_for.total_seconds())
    return len(expired)


@contextlib.asynccontextmanager
async def _claimed(
    database: Database, store: Store, repository: Repository, upload_id: uuid.UUID, first_byte: int | None
) -> AsyncIterator[tuple[Upload, Draft]]:
    """The upload as its row tells it once nobody else can write to it."""
    try:
        async with store.claim(upload_id) as draft:
            upload = await get(database, repository, upload_id)
            if first_byte is not None and first_byte != upload.received:
                raise OutOfOrder(upload.received)
            yield upload, draft
    except UploadLost as error:
        raise UploadNotFound(repository.registry, repository.name, upload_id) from error


async def _append(draft: Draft, upload: Upload, chunks: AsyncIterator[bytes], *, is_part: bool = False) -> Upload:
    received = await draft.append(upload.received, _bounded(chunks, MAX_LAYER_BYTES - upload.received))
    if not is_part:
        return replace(upload, received=received)
    follows_short = upload.last_part_size is not None and upload.last_part_size < MIN_PART_BYTES
    return replace(
        upload,
        received=received,
        last_part_size=received - upload.received,
        has_short_part=upload.has_short_part or follows_short,
    )


async def _acknowledge(database: Database, upload: Upload) -> None:
    statement = (
        update(uploads)
        .where(uploads.c.id == upload.id)
        .values(
            received=upload.received,
            last_part_size=upload.last_part_size,
            has_short_part=upload.has_short_part,
            touched_at=func.now(),
        )
    )
    async with database.transaction() as connection:
        if (await connection.execute(statement)).rowcount == 0:
            raise UploadNotFound(upload.repository.registry, upload.repository.name, upload.id)


async def _store(draft: Draft, size: int, blob: Blob) -> None:
    try:
        await draft.complete(size, blob)
    except DigestMismatch as error:
        raise InvalidLayer(f"Layer digest mismatch: {error}") from error


async def _link(database: Database, upload: Upload, digest: Digest) -> bool:
    async with database.transaction() as connection:
        is_new = await layers.link(connection, upload.repository, digest, upload.received)
        await connection.execute(delete(uploads).where(uploads.c.id == upload.id))
    return is_new


async def _bounded(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    left = limit
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise LimitExceeded(f"A layer can have at most {MAX_LAYER_BYTES} bytes")
        yield chunk
