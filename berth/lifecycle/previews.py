"""Previews of lifecycle policies: start one, and look at what it found."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, literal, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import jobs
from berth.database.db import Database
from berth.errors import (
    LifecyclePolicyNotFound,
    LifecyclePolicyPreviewInProgress,
    LifecyclePolicyPreviewNotFound,
    RepositoryNotFound,
)
from berth.images.lists import TagStatus
from berth.lifecycle.previewing import JOB, KEPT_FOR
from berth.names import Registry
from berth.repositories import named
from berth.schema import lifecycle_preview_results, lifecycle_previews, repositories, tags

IN_PROGRESS = "IN_PROGRESS"
COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True)
class Preview:
    """The latest preview of a repository; `status` as ECR has it, and how many images would expire or be archived."""

    id: int
    repository_id: int
    policy: str
    status: str
    expiring: int
    transitioning: int


@dataclass(frozen=True, slots=True)
class Result:
    """An image that a rule would act on, as it was when the preview ran; `action` and `storage_class` as ECR has them.

    `ordered_at` and `digest` are the key by which results are ordered: older images come first.
    """

    digest: str
    ordered_at: datetime
    tags: tuple[str, ...]
    pushed_at: datetime
    storage_class: str
    action: str
    rule_priority: int


async def start(database: Database, registry: Registry, name: str, policy: str | None) -> str:
    """Have a worker preview `policy`, or that of the repository where it is None; return which policy that is.

    Raises RepositoryNotFound, LifecyclePolicyNotFound, LifecyclePolicyPreviewInProgress.
    """
    question = (
        select(repositories.c.id, repositories.c.lifecycle_policy, lifecycle_previews.c.status)
        .select_from(repositories.outerjoin(lifecycle_previews))
        .where(named(registry, name))
        .with_for_update(read=True, key_share=True, of=repositories)
    )
    async with database.transaction() as connection:
        row = (await connection.execute(question)).one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        text = policy or row.lifecycle_policy
        if text is None:
            raise LifecyclePolicyNotFound(registry, name)
        preview_id = None if row.status == IN_PROGRESS else await _begin(connection, row.id, text)
        if preview_id is None:
            raise LifecyclePolicyPreviewInProgress(registry, name)
        await jobs.defer(connection, JOB, repository_id=row.id, preview_id=preview_id)
    return str(text)


async def _begin(connection: AsyncConnection, repository_id: int, policy: str) -> int | None:
    """The id of the new preview; None where another has just been started."""
    again: dict[str, Any] = {
        "id": literal_column("DEFAULT"),
        "policy": policy,
        "status": IN_PROGRESS,
        "started_at": func.now(),
        "finished_at": None,
        "expiring": 0,
        "transitioning": 0,
    }
    statement = (
        insert(lifecycle_previews)
        .values(repository_id=repository_id, policy=policy)
        .on_conflict_do_update(
            index_elements=["repository_id"], set_=again, where=lifecycle_previews.c.status != IN_PROGRESS
        )
        .returning(lifecycle_previews.c.id)
    )
    preview_id: int | None = await connection.scalar(statement)
    return preview_id


async def get(database: Database, registry: Registry, name: str) -> Preview:
    """Raises RepositoryNotFound, LifecyclePolicyPreviewNotFound."""
    table = lifecycle_previews.c
    too_old = and_(table.status == "COMPLETE", table.finished_at < func.now() - KEPT_FOR)
    question = (
        select(
            repositories.c.id.label("repository_id"),
            table.id,
            table.policy,
            case((too_old, "EXPIRED"), else_=table.status).label("status"),
            table.expiring,
            table.transitioning,
        )
        .select_from(repositories.outerjoin(lifecycle_previews))
        .where(named(registry, name))
    )
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    if row.id is None:
        raise LifecyclePolicyPreviewNotFound(registry, name)
    return Preview(row.id, row.repository_id, row.policy, row.status, row.expiring, row.transitioning)


async def results(
    database: Database, preview: Preview, *, status: TagStatus, after: tuple[datetime, str] | None, limit: int
) -> list[Result]:
    """At most `limit` of the preview's results that come after the key `after`."""
    question = _results(preview, status).limit(limit)
    if after is not None:
        key = tuple_(lifecycle_preview_results.c.ordered_at, lifecycle_preview_results.c.digest)
        question = question.where(key > tuple_(literal(after[0]), literal(after[1])))
    async with database.reading() as connection:
        return [_result(row) for row in await connection.execute(question)]


async def results_for(
    database: Database, preview: Preview, *, status: TagStatus, ids: Collection[tuple[str | None, str | None]]
) -> list[Result]:
    """The preview's results about the images that `ids` name now, each by digest, by tag or by both."""
    names = {tag for _, tag in ids if tag is not None}
    tagged = select(tags.c.tag, tags.c.digest).where(
        tags.c.repository_id == preview.repository_id, tags.c.tag.in_(names)
    )
    async with database.reading() as connection:
        by_tag = {row.tag: row.digest for row in await connection.execute(tagged)} if names else {}
        digests = {by_tag.get(tag) if digest is None else digest for digest, tag in ids if _agree(by_tag, digest, tag)}
        chosen = _results(preview, status).where(
            lifecycle_preview_results.c.repository_id == preview.repository_id,
            lifecycle_preview_results.c.digest.in_(digests - {None}),
        )
        return [_result(row) for row in await connection.execute(chosen)]


def _agree(by_tag: dict[str, str], digest: str | None, tag: str | None) -> bool:
    return digest is None or tag is None or by_tag.get(tag) == digest


def _results(preview: Preview, status: TagStatus) -> Select[*tuple[Any, ...]]:
    table = lifecycle_preview_results.c
    question = (
        select(lifecycle_preview_results).where(table.preview_id == preview.id).order_by(table.ordered_at, table.digest)
    )
    return question if status is TagStatus.ANY else question.where(table.tagged == (status is TagStatus.TAGGED))


def _result(row: Row[*tuple[Any, ...]]) -> Result:
    return Result(
        digest=row.digest,
        ordered_at=row.ordered_at,
        tags=tuple(row.tags),
        pushed_at=row.pushed_at,
        storage_class=row.storage_class,
        action=row.action,
        rule_priority=row.rule_priority,
    )
