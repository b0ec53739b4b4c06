"""The names of what a repository contains, page by page: digests with their tags, and tags alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, any_, bindparam, select, true

from berth import repositories, schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.images.storage_classes import ImageStatus, StorageClass
from berth.names import Digest, Registry, Tag
from berth.repositories import NAMED, Repository
from berth.schema import images, tags


class TagStatus(StrEnum):
    """ECR API reference, "ListImagesFilter", `tagStatus`."""

    ANY = "ANY"
    TAGGED = "TAGGED"
    UNTAGGED = "UNTAGGED"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images of a repository are listed; an `image_status` of None: whatever it is."""

    tag_status: TagStatus = TagStatus.ANY
    image_status: ImageStatus | None = ImageStatus.ACTIVE

    def includes(self, status: ImageStatus, tags: Collection[Tag]) -> bool:
        tagged = self.tag_status is TagStatus.ANY or (self.tag_status is TagStatus.TAGGED) == bool(tags)
        return tagged and self.image_status in (None, status)

    @property
    def parameters(self) -> dict[str, object]:
        """What `of_status` compares with."""
        return {} if self.image_status is None else {"storage_class": self.image_status.storage_class}


def of_status(chosen: Filter) -> tuple[ColumnElement[bool], ...]:
    """The condition that an image is of the status; one that depends on whether there is any, not on which it is."""
    return () if chosen.image_status is None else (images.c.storage_class == bindparam("storage_class"),)


OF_IMAGE = and_(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
_OF_TAGS = Question(
    select(tags.c.tag, tags.c.digest).where(
        tags.c.repository_id == bindparam("repository_id"), tags.c.tag == any_(bindparam("tags", type_=ARRAY(Text)))
    )
)
# In the order of its index: where PostgreSQL expects it soon, it would rather read one image after the other.
_archived = (
    select(images.c.digest)
    .where(images.c.storage_class == StorageClass.ARCHIVE, images.c.repository_id == schema.repositories.c.id)
    .order_by(images.c.digest)
    .limit(1)
    .scalar_subquery()
)
# Looked at once, and not for each tag.
_repository = (
    select(schema.repositories.c.id, _archived.is_not(None).label("has_archived"))
    .where(NAMED)
    .cte("repository")
    .prefix_with("MATERIALIZED")
)


def _tags_after(*columns: ColumnElement[Any]) -> Select[Any]:
    mine = (tags.c.repository_id == _repository.c.id, tags.c.tag > bindparam("after"))
    return select(*columns).where(*mine).order_by(tags.c.tag).limit(bindparam("limit"))


def _page_of(page: Select[Any], *further: ColumnElement[Any]) -> Question:
    """The tags of a page in their order; where there are none, one row without a tag."""
    found = page.correlate(_repository).lateral("page")
    rows = select(found.c.tag, *further).select_from(_repository.outerjoin(found, true()))
    return Question(rows.order_by(found.c.tag))


_ALL_TAGS = _page_of(_tags_after(tags.c.tag), _repository.c.has_archived)
_TAGS_OF_ACTIVE_IMAGES = _page_of(
    _tags_after(tags.c.tag).join_from(tags, images, OF_IMAGE).where(images.c.storage_class == StorageClass.STANDARD)
)


async def image_ids(
    database: Database, registry: Registry, name: str, chosen: Filter, *, after: tuple[str, str], limit: int
) -> list[tuple[Digest, Tag | None]]:
    """At most `limit` pairs of digest and tag (None: untagged) that come after the pair `after` ("" for no tag).

    Raises RepositoryNotFound.
    """
    given = {"after": after[0], "after_tag": after[1], "limit": limit, **chosen.parameters}
    rows = await repositories.ask(database, _listed(chosen), registry, name, **given)
    return [(Digest(row["digest"]), None if row["tag"] is None else Tag(row["tag"])) for row in rows]


async def digests_of_tags(database: Database, repository: Repository, names: Sequence[str]) -> dict[str, Digest]:
    """The digest that each of these tags names; those that there are."""
    rows = await database.ask(_OF_TAGS, repository_id=repository.id, tags=names)
    return {row["tag"]: Digest(row["digest"]) for row in rows}


async def tag_names(database: Database, registry: Registry, name: str, *, after: str, limit: int) -> list[Tag]:
    """At most `limit` tags of active images that come after `after`, in the order of their bytes.

    OCI Distribution 1.1, "Listing Tags". Raises RepositoryNotFound.
    """
    given = {"after": after, "limit": limit}
    rows = await repositories.ask(database, _ALL_TAGS, registry, name, "tag", **given)
    if rows and rows[0]["has_archived"]:
        # To look at the image of each tag takes three times as long: it is done where it can make a difference.
        rows = await repositories.ask(database, _TAGS_OF_ACTIVE_IMAGES, registry, name, "tag", **given)
    return [Tag(row["tag"]) for row in rows]


@cache
def _listed(chosen: Filter) -> Question:
    tagged = {
        TagStatus.ANY: true(),
        TagStatus.TAGGED: tags.c.tag.is_not(None),
        TagStatus.UNTAGGED: tags.c.tag.is_(None),
    }
    digest: ColumnElement[str] = bindparam("after")
    tag: ColumnElement[str] = bindparam("after_tag")
    page = (
        select(images.c.digest, tags.c.tag)
        .select_from(images.outerjoin(tags, OF_IMAGE))
        .where(images.c.repository_id == schema.repositories.c.id, *of_status(chosen), tagged[chosen.tag_status])
        .where(images.c.digest >= digest, (images.c.digest > digest) | (tags.c.tag > tag))
        .order_by(images.c.digest, tags.c.tag)
        .limit(bindparam("limit"))
        .lateral("page")
    )
    question = select(page).select_from(schema.repositories.outerjoin(page, true())).where(NAMED)
    return Question(question.order_by(page.c.digest, page.c.tag))
