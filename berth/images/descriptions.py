"""What there is to say of the images of a repository, page by page and by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Row, Text, and_, any_, bindparam, exists, func, literal, select, true

from berth import repositories, schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import RepositoryNotFound
from berth.images.lists import OF_IMAGE, Filter, TagStatus, of_status
from berth.images.storage_classes import ImageStatus
from berth.names import Digest, Registry, Tag
from berth.repositories import NAMED
from berth.schema import images, tags


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
    status: ImageStatus
    # When it was last archived, and last restored.
    archived_at: datetime | None
    activated_at: datetime | None


_of_repository = images.c.repository_id == schema.repositories.c.id
# The tags of an image, in the order of their bytes.
_tags = select(tags.c.tag).where(OF_IMAGE).order_by(tags.c.tag).correlate(images).scalar_subquery()
TAGS = func.array(_tags, type_=ARRAY(Text)).label("tags")
_COLUMNS = (
    images.c.digest,
    images.c.media_type,
    images.c.artifact_type,
    images.c.subject,
    images.c.size,
    images.c.pushed_at,
    images.c.last_pulled_at,
    images.c.storage_class,
    images.c.archived_at,
    images.c.activated_at,
    TAGS,
)
_tagged_so = (
    select(tags.c.digest)
    .where(tags.c.repository_id == schema.repositories.c.id, tags.c.tag == any_(bindparam("tags", type_=ARRAY(Text))))
    .correlate(schema.repositories)
    .scalar_subquery()
)
_named_so = func.array_cat(bindparam("digests", type_=ARRAY(Text)), func.array(_tagged_so, type_=ARRAY(Text)))
# A repository and those of its images that the parameters `digests` and `tags` name, each once.
NAMED_IMAGES = schema.repositories.outerjoin(images, and_(_of_repository, images.c.digest == any_(_named_so)))
_BY_NAME = Question(select(*_COLUMNS).select_from(NAMED_IMAGES).where(NAMED))


async def page(
    database: Database, registry: Registry, name: str, chosen: Filter, *, after: str, limit: int
) -> list[Image]:
    """At most `limit` images whose digests come after `after`, in the order of their digests.

    Raises RepositoryNotFound.
    """
    given = {"after": after, "limit": limit, **chosen.parameters}
    return [_image(row) for row in await repositories.ask(database, _page(chosen), registry, name, **given)]


async def named(
    database: Database, registry: Registry, name: str, digests: Sequence[str], tag_names: Sequence[str] = ()
) -> dict[str, Image]:
    """The images of these digests and of these tags, those that there are, by digest. Raises RepositoryNotFound."""
    rows = await repositories.ask(database, _BY_NAME, registry, name, digests=digests, tags=tag_names)
    return {row["digest"]: _image(row) for row in rows}


@cache
def _page(chosen: Filter) -> Question:
    is_tagged = exists(select(literal(1)).where(OF_IMAGE).correlate(images))
    tagged = {TagStatus.ANY: true(), TagStatus.TAGGED: is_tagged, TagStatus.UNTAGGED: ~is_tagged}
    page = (
        select(*_COLUMNS)
        .where(_of_repository, *of_status(chosen), tagged[chosen.tag_status])
        .where(images.c.digest > bindparam("after"))
        .order_by(images.c.digest)
        .limit(bindparam("limit"))
        .lateral("page")
    )
    question = select(page).select_from(schema.repositories.outerjoin(page, true())).where(NAMED)
    return Question(question.order_by(page.c.digest))


def _image(row: Any) -> Image:
    return Image(
        digest=Digest(row["digest"]),
        tags=tuple(Tag(tag) for tag in row["tags"]),
        media_type=row["media_type"],
        artifact_type=row["artifact_type"],
        subject=None if row["subject"] is None else Digest(row["subject"]),
        size=row["size"],
        pushed_at=row["pushed_at"],
        last_pulled_at=row["last_pulled_at"],
        status=ImageStatus.of(row["storage_class"]),
        archived_at=row["archived_at"],
        activated_at=row["activated_at"],
    )


async def fields_of(
    database: Database,
    registry: Registry,
    name: str,
    digest: Digest | None,
    tag: Tag | None,
    *columns: ColumnElement[Any],
) -> Row[*tuple[Any, ...]] | None:
    """The digest and these columns of the image of this digest and this tag, of which one may be None.

    None where there is no such image. Raises RepositoryNotFound.
    """
    if tag is None:
        source = schema.repositories.outerjoin(images, and_(_of_repository, images.c.digest == digest))
    else:
        tagged = and_(tags.c.repository_id == schema.repositories.c.id, tags.c.tag == tag)
        held = and_(_of_repository, images.c.digest == tags.c.digest)
        source = schema.repositories.outerjoin(tags, tagged).outerjoin(images, held)
    question = select(images.c.digest, *columns).select_from(source).where(repositories.named(registry, name))
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return None if row.digest is None or digest not in (None, row.digest) else row
