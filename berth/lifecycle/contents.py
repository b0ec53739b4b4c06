"""The images of a repository as an evaluation sees them, in batches: a repository may hold 100,000."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.lifecycle.evaluate import Image
from berth.schema import image_references, images, lifecycle_preview_results, tags

BATCH = 1000

_lists = and_(
    image_references.c.repository_id == images.c.repository_id,
    image_references.c.referenced == images.c.digest,
    image_references.c.kind == "image",
)
_subjects = images.alias("subjects")
# As `Image.ordered_at` has it.
_ORDERED_AT = func.coalesce(
    case((images.c.storage_class == "ARCHIVE", images.c.archived_at), else_=images.c.activated_at), images.c.pushed_at
)
_SEEN = (
    images.c.digest,
    func.lower(images.c.storage_class).label("storage_class"),
    images.c.pushed_at,
    images.c.last_pulled_at,
    images.c.archived_at,
    images.c.activated_at,
    func.array(
        select(tags.c.tag)
        .where(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
        .order_by(tags.c.tag)
        .scalar_subquery()
    ).label("tags"),
    select(_subjects.c.digest)
    .where(_subjects.c.repository_id == images.c.repository_id, _subjects.c.digest == images.c.subject)
    .scalar_subquery()
    .label("subject"),
    case(
        (exists().where(_lists, image_references.c.archived_at.is_(None)), "standard"),
        (exists().where(_lists), "archive"),
    ).label("listed"),
)


async def newest_first(connection: AsyncConnection, repository_id: int) -> AsyncIterator[Sequence[Image]]:
    """All images of the repository in the order of an evaluation, in batches, each of at most 1,000."""
    question = (
        select(*_SEEN)
        .where(images.c.repository_id == repository_id)
        .order_by(_ORDERED_AT.desc(), images.c.digest.desc())
    )
    async for rows in _batches(connection, question):
        yield [_image(row) for row in rows]


async def artifacts(
    connection: AsyncConnection, repository_id: int, number: int
) -> AsyncIterator[Sequence[tuple[Image, int]]]:
    """The images that are not among the results of that preview while their subject is, each with that one's rule.

    In batches, each of at most 1,000; the rule by its priority.
    """
    results, own = lifecycle_preview_results, lifecycle_preview_results.alias("own")
    of_subject = and_(
        results.c.repository_id == images.c.repository_id,
        results.c.number == number,
        results.c.digest == images.c.subject,
    )
    is_there = exists().where(
        own.c.repository_id == images.c.repository_id, own.c.number == number, own.c.digest == images.c.digest
    )
    question = (
        select(*_SEEN, results.c.rule_priority)
        .select_from(images.join(results, of_subject))
        .where(images.c.repository_id == repository_id, images.c.subject.is_not(None), ~is_there)
    )
    async for rows in _batches(connection, question):
        yield [(_image(row), row.rule_priority) for row in rows]


async def _batches(
    connection: AsyncConnection, question: Select[*tuple[Any, ...]]
) -> AsyncIterator[Sequence[Row[*tuple[Any, ...]]]]:
    async with connection.stream(question, execution_options={"yield_per": BATCH}) as result:
        async for rows in result.partitions():
            yield rows


def _image(row: Row[*tuple[Any, ...]]) -> Image:
    return Image(
        digest=row.digest,
        tags=tuple(row.tags),
        storage_class=row.storage_class,
        pushed_at=row.pushed_at,
        last_pulled_at=row.last_pulled_at,
        archived_at=row.archived_at,
        activated_at=row.activated_at,
        subject=row.subject,
        listed=row.listed,
    )
