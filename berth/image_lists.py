"""What a repository contains, page by page: images with their tags, tags, referrers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from berth.db import Database
from berth.names import Digest, Tag
from berth.repositories import Repository
from berth.schema import images, tags


class TagStatus(StrEnum):
    """ECR API reference, "ListImagesFilter", `tagStatus`."""

    ANY = "ANY"
    TAGGED = "TAGGED"
    UNTAGGED = "UNTAGGED"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a repository without its manifest; `size` in bytes."""

    digest: Digest
    tags: tuple[Tag, ...]
    media_type: str
    artifact_type: str | None
    subject: Digest | None
    size: int
    pushed_at: datetime
    last_pulled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Referrer:
    """An image whose subject is another one; `size` of its manifest in bytes."""

    digest: Digest
    media_type: str
    artifact_type: str | None
    size: int
    annotations: Mapping[str, str]


_TAGS = (
    select(func.array_agg(aggregate_order_by(tags.c.tag, tags.c.tag)))
    .where(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
    .scalar_subquery()
    .label("tags")
)
_IS_TAGGED = exists(
    select(literal(1)).where(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
)
_DESCRIBED = (
    images.c.digest,
    images.c.media_type,
    images.c.artifact_type,
    images.c.subject,
    images.c.size,
    images.c.pushed_at,
    images.c.last_pulled_at,
    _TAGS,
)


async def describe(
    database: Database, repository: Repository, *, status: TagStatus, after: str, limit: int
) -> list[Image]:
    """At most `limit` images whose digests come after `after`, in the order of their digests."""
    question = select(*_DESCRIBED).where(images.c.repository_id == repository.id, images.c.digest > after)
    if status is not TagStatus.ANY:
        question = question.where(_IS_TAGGED if status is TagStatus.TAGGED else ~_IS_TAGGED)
    async with database.reading() as connection:
        rows = await connection.execute(question.order_by(images.c.digest).limit(limit))
        return [_image(row) for row in rows]


async def describe_some(database: Database, repository: Repository, digests: Sequence[str]) -> dict[str, Image]:
    """Those of `digests` that the repository holds, by digest."""
    question = select(*_DESCRIBED).where(images.c.repository_id == repository.id, images.c.digest.in_(digests))
    async with database.reading() as connection:
        return {row.digest: _image(row) for row in await connection.execute(question)}


async def digests_of_tags(database: Database, repository: Repository, names: Sequence[str]) -> dict[str, Digest]:
    """The digest that each of these tags names; those that there are."""
    question = select(tags.c.tag, tags.c.digest).where(tags.c.repository_id == repository.id, tags.c.tag.in_(names))
    async with database.reading() as connection:
        return {row.tag: Digest(row.digest) for row in await connection.execute(question)}


async def image_ids(
    database: Database, repository: Repository, *, status: TagStatus, after: tuple[str, str], limit: int
) -> list[tuple[Digest, Tag | None]]:
    """At most `limit` pairs of digest and tag (None: untagged) that come after the pair `after` ("" for no tag)."""
    async with database.reading() as connection:
        rows = await connection.execute(_image_ids(repository, status, after).limit(limit))
        return [(Digest(row.digest), None if row.tag is None else Tag(row.tag)) for row in rows]


def _image_ids(repository: Repository, status: TagStatus, after: tuple[str, str]) -> Select[*tuple[Any, ...]]:
    digest, tag = after
    if status is TagStatus.TAGGED:
        return (
            select(tags.c.digest, tags.c.tag)
            .where(tags.c.repository_id == repository.id)
            .where(tags.c.digest >= digest, (tags.c.digest > digest) | (tags.c.tag > tag))
            .order_by(tags.c.digest, tags.c.tag)
        )
    same = and_(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
    question = (
        select(images.c.digest, tags.c.tag)
        .select_from(images.outerjoin(tags, same))
        .where(images.c.repository_id == repository.id)
        .where(images.c.digest >= digest, (images.c.digest > digest) | (tags.c.tag > tag))
        .order_by(images.c.digest, tags.c.tag)
    )
    return question.where(tags.c.tag.is_(None)) if status is TagStatus.UNTAGGED else question


async def tag_names(database: Database, repository: Repository, *, after: str, limit: int) -> list[Tag]:
    """At most `limit` tags that come after `after`, in the order of their bytes.

    OCI Distribution 1.1, "Listing Tags".
    """
    question = (
        select(tags.c.tag)
        .where(tags.c.repository_id == repository.id, tags.c.tag > after)
        .order_by(tags.c.tag)
        .limit(limit)
    )
    async with database.reading() as connection:
        return [Tag(tag) for tag in await connection.scalars(question)]


async def referrers(
    database: Database,
    repository: Repository,
    subject: Digest,
    *,
    artifact_type: str | None = None,
    after: str = "",
    limit: int,
) -> list[Referrer]:
    """At most `limit` images whose subject is `subject`, in the order of their digests, after `after`.

    OCI Distribution 1.1, "Listing Referrers".
    """
    question = select(
        images.c.digest,
        images.c.media_type,
        images.c.artifact_type,
        func.octet_length(images.c.manifest).label("size"),
        images.c.annotations,
    ).where(images.c.repository_id == repository.id, images.c.subject == subject, images.c.digest > after)
    if artifact_type is not None:
        question = question.where(images.c.artifact_type == artifact_type)
    async with database.reading() as connection:
        rows = await connection.execute(question.order_by(images.c.digest).limit(limit))
        return [
            Referrer(Digest(row.digest), row.media_type, row.artifact_type, row.size, row.annotations) for row in rows
        ]


def _image(row: Row[*tuple[Any, ...]]) -> Image:
    return Image(
        digest=Digest(row.digest),
        tags=tuple(Tag(tag) for tag in row.tags or ()),
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        subject=None if row.subject is None else Digest(row.subject),
        size=row.size,
        pushed_at=row.pushed_at,
        last_pulled_at=row.last_pulled_at,
    )
