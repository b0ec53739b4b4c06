"""Images: put, tag, delete. The one place that changes what a repository contains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.errors import ImageTagAlreadyExists, LayersNotFound, ReferencedImagesNotFound
from berth.images import new, storage_classes
from berth.images.manifests import Manifest
from berth.images.storage_classes import StorageClass
from berth.names import Digest, Registry, Tag
from berth.recovery import deleted_images
from berth.repositories import Repository, hold
from berth.schema import image_references, images, repository_layers, tags

# A row that INSERT … ON CONFLICT has made is locked or replaced by nobody yet; one that it has updated is, by itself.
_IS_UPDATED = (literal_column("xmax::text") != "0").label("is_updated")


@dataclass(frozen=True, slots=True)
class Put:
    """What a put came to: whether the image is new to the repository, or back from the archive, and the tag moved."""

    manifest: Manifest
    image_is_new: bool
    image_is_restored: bool
    tag_changed: bool

    @property
    def changed(self) -> bool:
        return self.image_is_new or self.image_is_restored or self.tag_changed


async def put(
    database: Database, registry: Registry, name: str, manifest: Manifest, new_tags: Sequence[Tag] = ()
) -> Put:
    """Put the image and its tags into the repository, all or nothing; what it names is there and stays there.

    Raises RepositoryNotFound, LayersNotFound, ReferencedImagesNotFound, and ImageTagAlreadyExists for a tag that
    exists and is immutable, even on the same image (as ECR does). An image put again, tag and all, changes nothing,
    unless it is archived: then it is restored (ECR user guide, "Restoring an image").
    """
    if await new.put(database, registry, name, manifest, new_tags):
        return Put(manifest, image_is_new=True, image_is_restored=False, tag_changed=bool(new_tags))
    async with database.transaction() as connection:
        # Always in this order, so that no two transactions wait for each other: repository, layers, images, tags.
        repository = await hold(connection, registry, name)
        if manifest.is_index:
            size = await _hold_images(connection, repository, manifest)
        else:
            size = manifest.size
            await _hold_layers(connection, repository, manifest)
        former = await _insert(connection, repository, manifest, size)
        restored = former is StorageClass.ARCHIVE
        if restored:
            await storage_classes.restore(connection, repository.id, [manifest.digest])
        moved = [
            tag
            for tag in sorted({*new_tags})
            if await _claim_tag(connection, repository, tag, manifest.digest, restored=restored)
        ]
        if moved and await _tag(connection, repository, manifest.digest, moved):
            await changes.tell(connection, repository)
        if former is None and manifest.subject is not None:
            await changes.tell_of(connection, changes.of_referrers(repository.id, manifest.subject.digest))
    return Put(manifest, former is None, restored, bool(moved))


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
    held = select(images.c.digest, images.c.size, images.c.storage_class).where(
        images.c.repository_id == repository.id, images.c.digest.in_(needed)
    )
    locked = held.order_by(images.c.digest).with_for_update(read=True)
    found = {row.digest: row for row in await connection.execute(locked)}
    missing = [digest for digest in needed if digest not in found]
    if missing:
        raise ReferencedImagesNotFound(repository.registry, repository.name, missing)
    archived = [digest for digest in needed if found[digest].storage_class == StorageClass.ARCHIVE]
    if archived:
        raise ReferencedImagesNotFound(repository.registry, repository.name, archived, "are archived")
    return max((row.size for row in found.values()), default=0)


async def _insert(
    connection: AsyncConnection, repository: Repository, manifest: Manifest, size: int
) -> StorageClass | None:
    """The storage class that the image has already, None of a new one; it stays until the transaction ends."""
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
        former = await _lock(connection, repository, manifest.digest, read=True)
        if former is not None:
            return former
    references = _references(repository, manifest)
    if references:
        await connection.execute(insert(image_references).values(references))
    return None


def _references(repository: Repository, manifest: Manifest) -> list[dict[str, Any]]:
    kinds = {child.digest: ("image", child.media_type) for child in manifest.manifests}
    kinds |= {blob.digest: ("layer", blob.media_type) for blob in manifest.blobs}
    common = {"repository_id": repository.id, "digest": manifest.digest}
    return [
        {**common, "referenced": digest, "kind": kind, "media_type": media_type}
        for digest, (kind, media_type) in kinds.items()
    ]


async def _claim_tag(
    connection: AsyncConnection, repository: Repository, tag: Tag, digest: Digest, *, restored: bool
) -> bool:
    """Whether the tag has yet to be put on the image, which is `restored` by this put or not."""
    row = select(tags.c.digest).where(tags.c.repository_id == repository.id, tags.c.tag == tag).with_for_update()
    current = await connection.scalar(row)
    if restored and current == digest:
        return False
    if current is not None and repository.mutability.is_immutable(tag):
        raise ImageTagAlreadyExists(repository.name, tag)
    return bool(current != digest)


async def _tag(connection: AsyncConnection, repository: Repository, digest: Digest, moved: Sequence[Tag]) -> bool:
    """Put the tags, which this transaction has claimed, on the image. Whether one of them was on another image before.

    Raises ImageTagAlreadyExists: what was claimed when there was no such tag yet, another one may have put since.
    """
    rows = [{"repository_id": repository.id, "tag": tag, "digest": digest} for tag in moved]
    immutable = [tag for tag in moved if repository.mutability.is_immutable(tag)]
    statement = insert(tags).values(rows)
    put = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["repository_id", "tag"],
            set_={"digest": statement.excluded.digest, "moved_at": func.now()},
            where=tags.c.tag.not_in(immutable),
        ).returning(tags.c.tag, _IS_UPDATED)
    )
    was_there = {row.tag: row.is_updated for row in put}
    lost = {*moved} - {*was_there}
    if lost:
        raise ImageTagAlreadyExists(repository.name, min(lost))
    return any(was_there.values())


@dataclass(frozen=True, slots=True)
class Deletion:
    """What came of a request to delete one image or tag: what is gone, or which indexes still need the image."""

    removed: tuple[tuple[Digest, Tag | None], ...] = ()
    needed_by: tuple[Digest, ...] = ()


async def remove(database: Database, repository: Repository, digest: Digest) -> Deletion | None:
    """Delete the image and all its tags, unless an index references it; None where there is none."""
    async with database.transaction() as connection:
        if await _lock(connection, repository, digest) is None:
            return None
        return await _remove(connection, repository, digest)


async def untag(
    database: Database, repository: Repository, tag: Tag, *, expected: Digest | None = None, keep_image: bool = False
) -> Deletion | None:
    """Take the tag away, and with the last tag the image too; None where there is no such tag (on `expected`).

    The last tag of an image that an index references stays. ECR API reference, "BatchDeleteImage". `keep_image`: take
    away the tag alone, as OCI Distribution 1.1 has it ("Deleting tags").
    """
    mine = and_(tags.c.repository_id == repository.id, tags.c.tag == tag)
    async with database.transaction() as connection:
        current = await connection.scalar(select(tags.c.digest).where(mine))
        if current is None or (expected is not None and current != expected):
            return None
        digest = Digest(current)
        # The image first, as every other change does, so that two of them never wait for each other.
        await _lock(connection, repository, digest)
        on_image = select(tags.c.tag).where(tags.c.repository_id == repository.id, tags.c.digest == digest)
        held = set(await connection.scalars(on_image.with_for_update()))
        if tag not in held:
            return None
        if held == {tag} and not keep_image:
            return await _remove(connection, repository, digest)
        await connection.execute(delete(tags).where(mine))
        await changes.tell(connection, repository)
    return Deletion(removed=((digest, tag),))


async def _lock(
    connection: AsyncConnection, repository: Repository, digest: Digest, *, read: bool = False
) -> StorageClass | None:
    """Keep others from deleting the image (`read`) or from referencing it too; None where there is none."""
    mine = and_(images.c.repository_id == repository.id, images.c.digest == digest)
    locked = select(images.c.storage_class).where(mine).with_for_update(read=read, key_share=read)
    found = await connection.scalar(locked)
    return None if found is None else StorageClass(found)


async def _remove(connection: AsyncConnection, repository: Repository, digest: Digest) -> Deletion:
    """Delete an image that this transaction has locked (so that no index can come to need it meanwhile)."""
    needing = select(image_references.c.digest).where(
        image_references.c.repository_id == repository.id, image_references.c.referenced == digest
    )
    needed_by = tuple(Digest(index) for index in await connection.scalars(needing.order_by(image_references.c.digest)))
    if needed_by:
        return Deletion(needed_by=needed_by)
    await deleted_images.keep_one(connection, repository.id, digest)
    gone = delete(tags).where(tags.c.repository_id == repository.id, tags.c.digest == digest).returning(tags.c.tag)
    removed_tags = sorted(Tag(tag) for tag in await connection.scalars(gone))
    await connection.execute(delete(images).where(images.c.repository_id == repository.id, images.c.digest == digest))
    await changes.tell(connection, repository)
    return Deletion(removed=tuple((digest, tag) for tag in removed_tags) or ((digest, None),))
