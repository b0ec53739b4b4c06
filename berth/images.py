"""Images: put, find, tag, delete. The one place that changes what a repository contains."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, func, literal, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import pull_time_exclusions
from berth.db import Database
from berth.errors import ImageTagAlreadyExists, LayersNotFound, ReferencedImagesNotFound, RepositoryNotFound
from berth.identity.principals import Principal
from berth.manifests import Manifest
from berth.names import Digest, Registry, Tag
from berth.repositories import Repository, hold, named
from berth.schema import image_references, images, repositories, repository_layers, tags

# ECR API reference, "ImageDetail", `lastRecordedPullTime`: refreshed at least every 24 hours; here, every hour.
PULL_TIME_GRAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest that a repository holds, byte for byte as it was put."""

    repository_id: int
    digest: Digest
    media_type: str
    content: bytes
    subject: Digest | None
    last_pulled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Put:
    """What a put came to: whether the image is new to the repository, and whether the tag now tells something else."""

    manifest: Manifest
    image_is_new: bool
    tag_changed: bool

    @property
    def changed(self) -> bool:
        return self.image_is_new or self.tag_changed


_STORED = (
    images.c.repository_id,
    images.c.digest,
    images.c.media_type,
    images.c.manifest,
    images.c.subject,
    images.c.last_pulled_at,
)


async def find(database: Database, registry: Registry, name: str, reference: Tag | Digest) -> StoredManifest | None:
    """The image of that tag or digest. Raises RepositoryNotFound."""
    held = images.c.repository_id == repositories.c.id
    if isinstance(reference, Digest):
        source = repositories.outerjoin(images, and_(held, images.c.digest == reference))
    else:
        tagged = and_(tags.c.repository_id == repositories.c.id, tags.c.tag == reference)
        source = repositories.outerjoin(tags, tagged).outerjoin(images, and_(held, images.c.digest == tags.c.digest))
    question = select(*_STORED).select_from(source).where(named(registry, name))
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return None if row.digest is None else _stored(row)


async def find_many(
    database: Database, repository: Repository, digests: Collection[str], tag_names: Collection[str]
) -> tuple[dict[str, StoredManifest], dict[str, Digest]]:
    """The images of these digests and tags by digest, and the digest that each of the tags names."""
    tagged = select(tags.c.tag, tags.c.digest).where(tags.c.repository_id == repository.id, tags.c.tag.in_(tag_names))
    async with database.reading() as connection:
        by_tag = {row.tag: Digest(row.digest) for row in await connection.execute(tagged)} if tag_names else {}
        wanted = {*digests, *by_tag.values()}
        rows = await connection.execute(
            select(*_STORED).where(images.c.repository_id == repository.id, images.c.digest.in_(wanted))
        )
        by_digest = {row.digest: _stored(row) for row in rows}
    return by_digest, by_tag


def _stored(row: Row[*tuple[Any, ...]]) -> StoredManifest:
    subject = None if row.subject is None else Digest(row.subject)
    return StoredManifest(
        row.repository_id, Digest(row.digest), row.media_type, row.manifest, subject, row.last_pulled_at
    )


async def put(
    database: Database, registry: Registry, name: str, manifest: Manifest, new_tags: Sequence[Tag] = ()
) -> Put:
    """Put the image and its tags into the repository, all or nothing; what it names is there and stays there.

    Raises RepositoryNotFound, LayersNotFound, ReferencedImagesNotFound, and ImageTagAlreadyExists for a tag that
    exists and is immutable, even on the same image (as ECR does). An image put again, tag and all, changes nothing.
    """
    async with database.transaction() as connection:
        # Always in this order, so that no two transactions wait for each other: repository, images, layers, tags.
        repository = await hold(connection, registry, name)
        if manifest.is_index:
            size = await _hold_images(connection, repository, manifest)
        else:
            size = manifest.size
            await _hold_layers(connection, repository, manifest)
        image_is_new = await _insert(connection, repository, manifest, size)
        moved = [tag for tag in sorted({*new_tags}) if await _claim_tag(connection, repository, tag, manifest.digest)]
        if moved:
            await _tag(connection, repository, manifest.digest, moved)
    return Put(manifest, image_is_new, bool(moved))


async def _hold_layers(connection: AsyncConnection, repository: Repository, manifest: Manifest) -> None:
    """Check that the layers are there, and keep them from being taken away before this transaction ends."""
    needed = dict.fromkeys(blob.digest for blob in manifest.blobs)
    held = select(repository_layers.c.digest).where(
        repository_layers.c.repository_id == repository.id, repository_layers.c.digest.in_(needed)
    )
    locked = held.order_by(repository_layers.c.digest).with_for_update(read=True)
    found = set(await connection.scalars(locked))
    missing = [digest for digest in needed if digest not in found]
    if missing:
        raise LayersNotFound.required(repository.registry, repository.name, missing)


async def _hold_images(connection: AsyncConnection, repository: Repository, manifest: Manifest) -> int:
    """Check that the images of the index are there, keep them there, and return the size of the largest, in bytes."""
    needed = dict.fromkeys(child.digest for child in manifest.manifests)
    held = select(images.c.digest, images.c.size).where(
        images.c.repository_id == repository.id, images.c.digest.in_(needed)
    )
    rows = await connection.execute(held.order_by(images.c.digest).with_for_update(read=True))
    sizes = {row.digest: row.size for row in rows}
    missing = [digest for digest in needed if digest not in sizes]
    if missing:
        raise ReferencedImagesNotFound(repository.registry, repository.name, missing)
    return max(sizes.values(), default=0)


async def _insert(connection: AsyncConnection, repository: Repository, manifest: Manifest, size: int) -> bool:
    """Whether the image is new; new or not, it stays until the transaction ends."""
    row = {
        "repository_id": repository.id,
        "digest": manifest.digest,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "subject": None if manifest.subject is None else manifest.subject.digest,
        "annotations": dict(manifest.annotations),
        "size": size,
        "manifest": manifest.content,
    }
    statement = insert(images).values(row).on_conflict_do_nothing().returning(images.c.digest)
    while (await connection.execute(statement)).one_or_none() is None:
        if await _lock(connection, repository, manifest.digest, read=True):
            return False
    references = _references(repository, manifest)
    if references:
        await connection.execute(insert(image_references).values(references))
    return True


def _references(repository: Repository, manifest: Manifest) -> list[dict[str, Any]]:
    kinds = {child.digest: ("image", child.media_type) for child in manifest.manifests}
    kinds |= {blob.digest: ("layer", blob.media_type) for blob in manifest.blobs}
    common = {"repository_id": repository.id, "digest": manifest.digest}
    return [
        {**common, "referenced": digest, "kind": kind, "media_type": media_type}
        for digest, (kind, media_type) in kinds.items()
    ]


async def _claim_tag(connection: AsyncConnection, repository: Repository, tag: Tag, digest: Digest) -> bool:
    """Whether the tag has yet to be put on the image."""
    row = select(tags.c.digest).where(tags.c.repository_id == repository.id, tags.c.tag == tag).with_for_update()
    current = await connection.scalar(row)
    if current is not None and repository.mutability.is_immutable(tag):
        raise ImageTagAlreadyExists(repository.name, tag)
    return bool(current != digest)


async def _tag(connection: AsyncConnection, repository: Repository, digest: Digest, moved: Sequence[Tag]) -> None:
    """Put the tags, which this transaction has claimed, on the image.

    Raises ImageTagAlreadyExists: what was claimed when there was no such tag yet, another one may have put since.
    """
    rows = [{"repository_id": repository.id, "tag": tag, "digest": digest} for tag in moved]
    immutable = [tag for tag in moved if repository.mutability.is_immutable(tag)]
    statement = insert(tags).values(rows)
    put = await connection.scalars(
        statement.on_conflict_do_update(
            index_elements=["repository_id", "tag"],
            set_={"digest": statement.excluded.digest, "moved_at": func.now()},
            where=tags.c.tag.not_in(immutable),
        ).returning(tags.c.tag)
    )
    lost = {*moved} - {*put}
    if lost:
        raise ImageTagAlreadyExists(repository.name, min(lost))


async def record_pulls(database: Database, principal: Principal, pulled: Iterable[StoredManifest]) -> None:
    """Note that these images of one repository were pulled now, those whose last note is an hour old.

    Unless the pulls of the principal do not count.
    """
    earliest = datetime.now(UTC) - PULL_TIME_GRAIN
    due = [image for image in pulled if image.last_pulled_at is None or image.last_pulled_at < earliest]
    if not due:
        return
    digests = sorted({image.digest for image in due})
    mine = and_(images.c.repository_id == due[0].repository_id, images.c.digest.in_(digests))
    counts = not_(pull_time_exclusions.excludes(principal, images.c.repository_id))
    async with database.transaction() as connection:
        await connection.execute(update(images).where(mine, counts).values(last_pulled_at=func.now()))


@dataclass(frozen=True, slots=True)
class Deletion:
    """What came of a request to delete one image or tag: what is gone, or which indexes still need the image."""

    removed: tuple[tuple[Digest, Tag | None], ...] = ()
    needed_by: tuple[Digest, ...] = ()


async def remove(database: Database, repository: Repository, digest: Digest) -> Deletion | None:
    """Delete the image and all its tags, unless an index references it; None where there is none."""
    async with database.transaction() as connection:
        if not await _lock(connection, repository, digest):
            return None
        return await _remove(connection, repository, digest)


async def untag(
    database: Database, repository: Repository, tag: Tag, *, expected: Digest | None = None, keep_image: bool = False
) -> Deletion | None:
    """Take the tag away, and with the last tag the image too; None where there is no such tag (on `expected`).

    ECR API reference, "BatchDeleteImage". `keep_image`: take away the tag alone, as OCI Distribution 1.1 has it
    ("Deleting tags").
    """
    mine = and_(tags.c.repository_id == repository.id, tags.c.tag == tag)
    async with database.transaction() as connection:
        current = await connection.scalar(select(tags.c.digest).where(mine))
        if current is None or (expected is not None and current != expected):
            return None
        digest = Digest(current)
        # The image first, as every other change does, so that two of them never wait for each other.
        await _lock(connection, repository, digest)
        gone = await connection.execute(delete(tags).where(mine, tags.c.digest == digest).returning(tags.c.tag))
        if gone.one_or_none() is None:
            return None
        others = await connection.scalar(
            select(literal(1)).where(tags.c.repository_id == repository.id, tags.c.digest == digest).limit(1)
        )
        if others is None and not keep_image:
            await _remove(connection, repository, digest)
        return Deletion(removed=((digest, tag),))


async def _lock(connection: AsyncConnection, repository: Repository, digest: Digest, *, read: bool = False) -> bool:
    """Keep others from deleting the image (`read`) or from referencing it too; False where there is none."""
    mine = and_(images.c.repository_id == repository.id, images.c.digest == digest)
    locked = select(literal(1)).where(mine).with_for_update(read=read, key_share=read)
    return await connection.scalar(locked) is not None


async def _remove(connection: AsyncConnection, repository: Repository, digest: Digest) -> Deletion:
    """Delete an image that this transaction has locked (so that no index can come to need it meanwhile)."""
    needing = select(image_references.c.digest).where(
        image_references.c.repository_id == repository.id, image_references.c.referenced == digest
    )
    needed_by = tuple(Digest(index) for index in await connection.scalars(needing.order_by(image_references.c.digest)))
    if needed_by:
        return Deletion(needed_by=needed_by)
    gone = delete(tags).where(tags.c.repository_id == repository.id, tags.c.digest == digest).returning(tags.c.tag)
    removed_tags = sorted(Tag(tag) for tag in await connection.scalars(gone))
    await connection.execute(delete(images).where(images.c.repository_id == repository.id, images.c.digest == digest))
    return Deletion(removed=tuple((digest, tag) for tag in removed_tags) or ((digest, None),))
