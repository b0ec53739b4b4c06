"""The bytes of an upload: how they are received, and become a layer."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

from berth import layers
from berth.database.db import Database
from berth.errors import (
    EmptyUpload,
    InvalidLayer,
    LayerAlreadyExists,
    LayerPartTooSmall,
    LimitExceeded,
    UploadNotFound,
)
from berth.layers import Layer
from berth.names import Digest, Registry
from berth.store.contract import Blob, DigestMismatch, Draft, Pouring, Store, StoreUnavailable, UploadLost
from berth.uploads.sessions import OutOfOrder, Session, Upload, acknowledge, find, find_to_complete

# ECR user guide, "Amazon ECR service quotas": layer parts of 5 MiB to 10 MiB, layers of at most 52,000 MiB.
PART_BYTES = 10 * 1024 * 1024
MIN_PART_BYTES = 5 * 1024 * 1024
MAX_LAYER_BYTES = 52_000 * 1024 * 1024


async def append(
    database: Database,
    store: Store,
    session: Session,
    chunks: AsyncIterator[bytes],
    *,
    first_byte: int | None = None,
    is_part: bool = False,
) -> Upload:
    """Continue the upload with `chunks`, written as they come; `first_byte`, where given, must be where it goes on.

    `is_part`: a layer part of the ECR API, of which only the last may be small.
    Raises RepositoryNotFound, UploadNotFound, OutOfOrder, LimitExceeded, UploadBusy.
    """
    async with _claimed(store, session) as draft:
        upload = await find(database, session)
        grown = await _append(draft, upload, chunks, first_byte=first_byte, is_part=is_part)
        await acknowledge(database, upload, grown)
    return grown


async def complete(
    database: Database,
    store: Store,
    session: Session,
    digest: Digest,
    *,
    last_chunks: AsyncIterator[bytes] | None = None,
    first_byte: int | None = None,
) -> Layer:
    """Make the upload, with `last_chunks`, the layer `digest` of its repository: durable when this returns.

    Raises RepositoryNotFound, UploadNotFound, OutOfOrder, LimitExceeded, UploadBusy; InvalidLayer where the bytes have
    another digest: then the upload is as it was before.
    """
    async with _claimed(store, session) as draft:
        upload = await find_to_complete(database, session, digest)
        upload = await _append(draft, upload, last_chunks, first_byte=first_byte)
        await _store(database, store, draft, session, upload, digest)
    return Layer(digest, upload.received)


async def complete_parts(database: Database, store: Store, session: Session, digest: Digest) -> Layer:
    """Complete an upload by the rules of CompleteLayerUpload.

    Raises also EmptyUpload, LayerPartTooSmall, LayerAlreadyExists.
    """
    async with _claimed(store, session) as draft:
        upload = await find_to_complete(database, session, digest)
        if upload.received == 0:
            raise EmptyUpload(session.id)
        if upload.has_short_part:
            raise LayerPartTooSmall(MIN_PART_BYTES)
        if not await _store(database, store, draft, session, upload, digest):
            raise LayerAlreadyExists(session.registry, session.name, digest)
    return Layer(digest, upload.received)


async def put(
    database: Database, store: Store, registry: Registry, name: str, digest: Digest, chunks: AsyncIterator[bytes]
) -> Layer:
    """A whole layer in one request. Raises RepositoryNotFound, InvalidLayer, LimitExceeded."""
    upload = Upload(uuid.uuid4())
    session = Session(registry, name, "", upload.id)
    await layers.intend(database, registry, name, digest)
    try:
        async with store.claim(upload.id) as draft:
            upload = await _append(draft, upload, chunks)
            await _store(database, store, draft, session, upload, digest)
    except BaseException:
        # Where the store cannot do it now, the upload expires.
        with contextlib.suppress(StoreUnavailable):
            await store.abandon(upload.id)
        raise
    return Layer(digest, upload.received)


@contextlib.asynccontextmanager
async def _claimed(store: Store, session: Session) -> AsyncIterator[Draft]:
    """The upload, once nobody else can write to it. What its row says is true only now."""
    try:
        async with store.claim(session.id) as draft:
            yield draft
    except UploadLost as error:
        raise UploadNotFound(session.registry, session.name, session.id) from error


async def _append(
    draft: Draft,
    upload: Upload,
    chunks: AsyncIterator[bytes] | None,
    *,
    first_byte: int | None = None,
    is_part: bool = False,
) -> Upload:
    if first_byte is not None and first_byte != upload.received:
        raise OutOfOrder(upload.received)
    if chunks is None:
        return upload
    written = await draft.append(upload.written, _bounded(chunks, MAX_LAYER_BYTES - upload.received))
    if not is_part:
        return replace(upload, written=written)
    follows_short = upload.last_part_size is not None and upload.last_part_size < MIN_PART_BYTES
    return replace(
        upload,
        written=written,
        last_part_size=written.size - upload.received,
        has_short_part=upload.has_short_part or follows_short,
    )


async def _store(
    database: Database, store: Store, draft: Draft, session: Session, upload: Upload, digest: Digest
) -> bool:
    """Make the upload a layer of the repository; False where it was one already."""
    blob = Blob(session.registry, digest)
    try:
        await draft.prepare(upload.written, blob)
    except DigestMismatch as error:
        raise InvalidLayer(f"Layer digest mismatch: {error}") from error
    async with layers.linking(
        database, blob, session.name, upload.received, upload.id, settled_after=store.settles_after
    ) as link:
        await draft.place(upload.written, blob)
        return await link()


def _bounded(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    if not isinstance(chunks, Pouring):
        return _counted(chunks, limit)
    if chunks.length > limit:
        raise LimitExceeded(f"A layer can have at most {MAX_LAYER_BYTES} bytes")
    return chunks


async def _counted(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    left = limit
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise LimitExceeded(f"A layer can have at most {MAX_LAYER_BYTES} bytes")
        yield chunk
