"""The images of a repository as an evaluation sees them, in batches: a repository may hold 100,000."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.lifecycle.evaluate import Image
from berth.schema import image_references, images, lifecycle_preview_results, tags

BATCH = 1000

# As `Image.ordered_at` has it.
_ORDERED_AT = func.coalesce(
    case((images.c.storage_class == "ARCHIVE", images.c.archived_at), else_=images.c.activated_at), images.c.pushed_at
)
# Scalar subqueries, for PostgreSQL answers each by a look into an index; of an EXISTS it may read the whole table.
_TAGS = (
    select(tags.c.tag)
    .where(tags.c.repository_id == images.c.repository_id, tags.c.digest == images.c.digest)
    .order_by(tags.c.tag)
    .scalar_subquery()
)


def _subject() -> ScalarSelect[str]:
    subjects = images.alias("subjects")
    question = select(subjects.c.digest)
    return question.where(
        subjects.c.repository_id == images.c.repository_id, subjects.c.digest == images.c.subject
    ).scalar_subquery()


def _list_of(storage_class: str, *conditions: ColumnElement[bool]) -> ScalarSelect[str]:
    """That storage class, where an image references this one and satisfies the conditions."""
    references = image_references.c
    return (
        select(literal(storage_class))
        .where(
            references.repository_id == images.c.repository_id,
            references.referenced == images.c.digest,
            references.kind == "image",
            *conditions,
        )
        .limit(1)
        .scalar_subquery()
    )


_SEEN = (
    images.c.digest,
    func.lower(images.c.storage_class).label("storage_class"),
    images.c.pushed_at,
    images.c.last_pulled_at,
    images.c.archived_at,
    images.c.activated_at,
    func.array(_TAGS).label("tags"),
    _subject().label("subject"),
    func.coalesce(_list_of("standard", image_references.c.archived_at.is_(None)), _list_of("archive")).label("listed"),
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


async def artifacts(connection: AsyncConnection, repository_id: int) -> AsyncIterator[Sequence[tuple[Image, int]]]:
    """The images that are not among the results of the preview while their subject is, each with that one's rule.

    In batches, each of at most 1,000; the rule by its priority.
    """
    rule_of_subject = _rule(images.c.subject)
    question = select(*_SEEN, rule_of_subject.label("rule_priority")).where(
        images.c.repository_id == repository_id,
        images.c.subject.is_not(None),
        rule_of_subject.is_not(None),
        _rule(images.c.digest).is_(None),
    )
    async for rows in _batches(connection, question):
        yield [(_image(row), row.rule_priority) for row in rows]


def _rule(digest: ColumnElement[str]) -> ScalarSelect[int]:
    """The priority of the rule that acts on the image `digest`, by the preview of the same repository."""
    results = lifecycle_preview_results.c
    question = select(results.rule_priority)
    return question.where(results.repository_id == images.c.repository_id, results.digest == digest).scalar_subquery()


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
