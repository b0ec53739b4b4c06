"""Deleted images, kept as they were for as long as they can be had back (berth/recovery/restoring.py does that)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.schema import deleted_image_references, deleted_images, image_references, images, repositories, tags

# What is kept of an image, and of each of its references, as it is.
IMAGE = (
    "digest",
    "media_type",
    "artifact_type",
    "subject",
    "annotations",
    "size",
    "pushed_at",
    "last_pulled_at",
    "storage_class",
    "archived_at",
    "activated_at",
    "manifest",
)
REFERENCE = ("referenced", "kind", "media_type")


@dataclass(frozen=True, slots=True)
class DeletedImage:
    """An image that was deleted; `size` in bytes, that of its config and layers."""

    repository: RepositoryName
    digest: Digest
    tags: tuple[Tag, ...]
    size: int
    deleted_at: datetime


_tags = select(tags.c.tag).where(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
_as_they_are = select(
    repositories.c.account,
    repositories.c.region,
    repositories.c.name,
    images.c.repository_id,
    func.array(_tags.order_by(tags.c.tag).scalar_subquery(), type_=ARRAY(Text)),
    *(images.c[name] for name in IMAGE),
).join_from(images, repositories, images.c.repository_id == repositories.c.id)


async def keep(connection: AsyncConnection, repository_id: int) -> None:
    """Note all images of the repository, which the transaction at hand is about to delete, and has locked."""
    await _keep(connection, repository_id, images.c.repository_id == repository_id)


async def keep_one(connection: AsyncConnection, repository_id: int, digest: Digest) -> None:
    """Note the image, which the transaction at hand is about to delete, and has locked."""
    await _keep(connection, repository_id, images.c.repository_id == repository_id, images.c.digest == digest)


async def _keep(connection: AsyncConnection, repository_id: int, *which: ColumnElement[bool]) -> None:
    kept = (
        insert(deleted_images)
        .from_select(["account", "region", "repository", "repository_id", "tags", *IMAGE], _as_they_are.where(*which))
        .returning(deleted_images.c.id, deleted_images.c.digest)
        .cte("kept")
    )
    edges = image_references.c
    references = (
        select(kept.c.id, *(edges[name] for name in REFERENCE))
        .join_from(kept, image_references, edges.digest == kept.c.digest)
        .where(edges.repository_id == repository_id)
    )
    await connection.execute(insert(deleted_image_references).from_select(["deleted_image_id", *REFERENCE], references))


async def listing(database: Database, registry: Registry, name: str | None = None) -> list[DeletedImage]:
    """Those of the registry, or of its repositories of that name alone, the last deleted first."""
    table = deleted_images.c
    question = select(table.repository, table.digest, table.tags, table.size, table.deleted_at).where(
        table.account == registry.account, table.region == registry.region
    )
    if name is not None:
        question = question.where(table.repository == name)
    async with database.reading() as connection:
        rows = await connection.execute(question.order_by(table.deleted_at.desc(), table.id.desc()))
    return [
        DeletedImage(
            RepositoryName(row.repository), Digest(row.digest), tuple(map(Tag, row.tags)), row.size, row.deleted_at
        )
        for row in rows
    ]
