"""The job that evaluates the policy of a preview and stores what it would do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database, DatabaseUnavailable
from berth.lifecycle import contents, document
from berth.lifecycle.evaluate import Evaluation, Image
from berth.lifecycle.policy import Rule
from berth.schema import lifecycle_preview_results, lifecycle_previews

JOB = "preview_lifecycle_policy"
# The API has a status for previews that are too old, and ECR tells nobody when that is.
KEPT_FOR = timedelta(hours=24)

# PostgreSQL keeps the plans that it made when the tables were small, and these read a table whole for every image; it
# makes no others before it has counted the tables anew, which what a transaction has just stored it can't.
_BY_INDEX = text("SET LOCAL enable_seqscan = off")


async def run(database: Database, repository_id: int, preview_id: int) -> None:
    """Bring that preview to its end, unless it has come to it or another has taken its place.

    All its results are stored or none, so that it may be begun again. Raises DatabaseUnavailable: then it should be.
    """
    try:
        async with database.transaction() as connection:
            await _run(connection, repository_id, preview_id)
    except DatabaseUnavailable:
        raise
    except Exception:
        async with database.transaction() as connection:
            await _finish(connection, repository_id, preview_id, "FAILED")
        raise


async def forget_expired(database: Database) -> int:
    """Remove the results of the previews that are too old to be shown; return how many previews these were."""
    too_old = lifecycle_previews.c.finished_at < func.now() - KEPT_FOR
    expired = (
        update(lifecycle_previews)
        .where(lifecycle_previews.c.status == "COMPLETE", too_old)
        .values(status="EXPIRED")
        .returning(lifecycle_previews.c.repository_id)
    )
    async with database.transaction() as connection:
        repository_ids = list(await connection.scalars(expired))
        of_them = lifecycle_preview_results.c.repository_id.in_(repository_ids)
        await connection.execute(delete(lifecycle_preview_results).where(of_them))
    return len(repository_ids)


@dataclass(slots=True)
class _Results:
    """The results of one preview as they come to be."""

    repository_id: int
    preview_id: int
    counts: Counter[str] = field(default_factory=Counter)

    async def add(self, connection: AsyncConnection, acting: Iterable[tuple[Image, Rule]]) -> bool:
        """Whether there were any."""
        rows = [self._row(image, rule) for image, rule in acting]
        if rows:
            await connection.execute(insert(lifecycle_preview_results), rows)
            self.counts.update(str(row["action"]) for row in rows)
        return bool(rows)

    def _row(self, image: Image, rule: Rule) -> dict[str, object]:
        return {
            "repository_id": self.repository_id,
            "preview_id": self.preview_id,
            "digest": image.digest,
            "ordered_at": image.ordered_at,
            "tags": list(image.tags),
            "tagged": bool(image.tags),
            "pushed_at": image.pushed_at,
            "storage_class": image.storage_class.upper(),
            "action": rule.action.type.upper(),
            "rule_priority": rule.priority,
        }


async def _run(connection: AsyncConnection, repository_id: int, preview_id: int) -> None:
    await connection.execute(_BY_INDEX)
    # Who does the same job at the same time waits here, and finds it done.
    begun = select(lifecycle_previews.c.policy, func.now().label("now")).where(_is_under_way(repository_id, preview_id))
    row = (await connection.execute(begun.with_for_update())).one_or_none()
    if row is None:
        return
    policy = document.parse(row.policy)
    evaluation = Evaluation(policy, row.now)
    results = _Results(repository_id, preview_id)
    mine = lifecycle_preview_results.c.repository_id == repository_id
    await connection.execute(delete(lifecycle_preview_results).where(mine))
    artifacts = False
    async for images in contents.newest_first(connection, repository_id):
        artifacts = artifacts or any(image.subject for image in images)
        await results.add(connection, ((image, rule) for image in images if (rule := evaluation.rule_for(image))))
    if artifacts:
        rules = {rule.priority: rule for rule in policy.rules}
        await _add_artifacts(connection, results, evaluation, rules)
    await _finish(
        connection,
        repository_id,
        preview_id,
        "COMPLETE",
        expiring=results.counts["EXPIRE"],
        transitioning=results.counts["TRANSITION"],
    )


async def _add_artifacts(
    connection: AsyncConnection, results: _Results, evaluation: Evaluation, rules: dict[int, Rule]
) -> None:
    """Those that go with their subject, then those that go with them, and so on."""
    added = True
    while added:
        added = False
        async for batch in contents.artifacts(connection, results.repository_id):
            following = ((image, rules[rule]) for image, rule in batch if evaluation.follows(image, rules[rule]))
            added = await results.add(connection, following) or added


async def _finish(connection: AsyncConnection, repository_id: int, preview_id: int, status: str, **totals: int) -> None:
    finished = update(lifecycle_previews).where(_is_under_way(repository_id, preview_id))
    await connection.execute(finished.values(status=status, finished_at=func.now(), **totals))


def _is_under_way(repository_id: int, preview_id: int) -> ColumnElement[bool]:
    return and_(
        lifecycle_previews.c.repository_id == repository_id,
        lifecycle_previews.c.id == preview_id,
        lifecycle_previews.c.status == "IN_PROGRESS",
    )
