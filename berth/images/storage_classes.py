"""The storage class of an image: one that is archived is kept, but cannot be pulled until it is restored.

ECR user guide, "Archiving an image in Amazon ECR". Nothing is moved here: an image is restored at once, where Amazon
takes some minutes.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Row, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes, repositories, schema
from berth.database.db import Database
from berth.errors import ImageNotFound, ImageStorageClassUpdateNotSupported, listed
from berth.names import Digest, Registry, Tag
from berth.repositories import named
from berth.schema import image_references, images, tags

# Of an image, what tells its row apart, and its storage class.
_Image = Row[int, str, str]


class StorageClass(StrEnum):
    """ECR API reference, "UpdateImageStorageClass", `targetStorageClass`."""

    STANDARD = "STANDARD"
    ARCHIVE = "ARCHIVE"


class ImageStatus(StrEnum):
    """ECR API reference, "ImageDetail", `imageStatus`."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    # On its way back from the archive; here no image ever is.
    ACTIVATING = "ACTIVATING"

    @classmethod
    def of(cls, storage_class: str) -> "ImageStatus":
        return cls.ARCHIVED if storage_class == StorageClass.ARCHIVE else cls.ACTIVE

    @property
    def storage_class(self) -> StorageClass | None:
        """That of the images that have this status; None where no image has it."""
        return {ImageStatus.ACTIVE: StorageClass.STANDARD, ImageStatus.ARCHIVED: StorageClass.ARCHIVE}.get(self)


async def change(
    database: Database, registry: Registry, name: str, digest: Digest | None, tag: Tag | None, target: StorageClass
) -> Digest:
    """Archive or restore the image of this digest and this tag, of which one may be None; return its digest.

    What can be pulled is whole: an image that an active index references cannot be archived, and an index whose images
    are archived cannot be restored. Raises RepositoryNotFound, ImageNotFound, ImageStorageClassUpdateNotSupported.
    """
    async with database.transaction() as connection:
        image = await _lock(connection, registry, name, digest, tag)
        if image is not None and image.storage_class != target:
            await _change(connection, registry, name, image, target)
    if image is None:
        await repositories.get(database, registry, name)
        raise ImageNotFound(registry, name, digest, tag)
    return Digest(image.digest)


async def archive(connection: AsyncConnection, repository_id: int, digests: Sequence[str]) -> None:
    """Archive images that this transaction has locked, and that no active index references."""
    await _set(connection, repository_id, digests, StorageClass.ARCHIVE, "archived_at")
    await changes.tell(connection, repository_id)


async def restore(connection: AsyncConnection, repository_id: int, digests: Sequence[str]) -> None:
    """Restore images that this transaction has locked, and that reference no archived ones."""
    await _set(connection, repository_id, digests, StorageClass.STANDARD, "activated_at")
    # They may be referrers.
    await changes.tell(connection, repository_id)


async def _change(
    connection: AsyncConnection, registry: Registry, name: str, image: _Image, target: StorageClass
) -> None:
    if target is StorageClass.ARCHIVE:
        hindering, reason = await _active_indexes(connection, image), "it is referenced by manifest list"
    else:
        hindering, reason = await _archived_images(connection, image), "it references archived images"
    if hindering:
        raise ImageStorageClassUpdateNotSupported(
            registry, name, image.digest, target, f"{reason}: {listed(hindering)}"
        )
    do = archive if target is StorageClass.ARCHIVE else restore
    await do(connection, image.repository_id, [image.digest])


async def _set(
    connection: AsyncConnection, repository_id: int, digests: Sequence[str], target: StorageClass, moment: str
) -> None:
    mine = and_(images.c.repository_id == repository_id, images.c.digest.in_(digests))
    await connection.execute(update(images).where(mine).values({"storage_class": target, moment: func.now()}))
    edges = and_(image_references.c.repository_id == repository_id, image_references.c.digest.in_(digests))
    archived_at = func.now() if target is StorageClass.ARCHIVE else None
    await connection.execute(update(image_references).where(edges).values(archived_at=archived_at))


async def _lock(
    connection: AsyncConnection, registry: Registry, name: str, digest: Digest | None, tag: Tag | None
) -> _Image | None:
    """The image, which nobody else can change or come to reference until the transaction ends."""
    source = schema.repositories.join(images, images.c.repository_id == schema.repositories.c.id)
    question = select(images.c.repository_id, images.c.digest, images.c.storage_class).where(named(registry, name))
    if digest is not None:
        question = question.where(images.c.digest == digest)
    if tag is not None:
        source = source.join(
            tags, and_(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
        )
        question = question.where(tags.c.tag == tag)
    locked = question.select_from(source).with_for_update(key_share=True, of=images)
    return (await connection.execute(locked)).one_or_none()


async def _active_indexes(connection: AsyncConnection, image: _Image) -> Sequence[str]:
    question = select(image_references.c.digest).where(
        image_references.c.repository_id == image.repository_id,
        image_references.c.referenced == image.digest,
        image_references.c.archived_at.is_(None),
    )
    return (await connection.scalars(question.order_by(image_references.c.digest))).all()


async def _archived_images(connection: AsyncConnection, image: _Image) -> Sequence[str]:
    """Those that the index references; all that it does stay what they are until the transaction ends."""
    referenced = select(image_references.c.referenced).where(
        image_references.c.repository_id == image.repository_id,
        image_references.c.digest == image.digest,
        image_references.c.kind == "image",
    )
    question = select(images.c.digest, images.c.storage_class).where(
        images.c.repository_id == image.repository_id, images.c.digest.in_(referenced)
    )
    rows = await connection.execute(question.order_by(images.c.digest).with_for_update(read=True))
    return [row.digest for row in rows if row.storage_class == StorageClass.ARCHIVE]
