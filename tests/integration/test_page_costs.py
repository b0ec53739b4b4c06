"""A page of a list costs what is on it, whatever the length of the list: so many rows are read, and no more."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import psycopg
import pytest

from berth import repositories
from berth.database import migrations
from berth.database.db import Database
from berth.database.questions import Question
from berth.images import lists, referrers
from berth.images.referrers import Referrer
from berth.names import Digest, Registry

REGISTRY = Registry("000000000001", "us-east-1")
SUBJECT = Digest(f"sha256:{'5' * 64}")
PAGE = 100
# Each in a repository of its own; of a thousand images of the large one, one is a referrer of another type.
LENGTHS = {"small": PAGE + 1, "large": 30_000}
_FILL = """
INSERT INTO repositories (account, region, name, tag_mutability, encryption)
SELECT '000000000001', 'us-east-1', name, 'MUTABLE', '{}' FROM (VALUES ('small'), ('large')) AS of(name);
INSERT INTO repositories (account, region, name, tag_mutability, encryption)
SELECT '000000000001', 'us-east-1', 'z' || number, 'MUTABLE', '{}' FROM generate_series(1, 5000) AS number;
INSERT INTO images (repository_id, digest, media_type, artifact_type, subject, size, manifest)
SELECT id, 'sha256:' || encode(sha256(number::text::bytea), 'hex'), 'application/vnd.oci.image.manifest.v1+json',
       CASE number % 1000 WHEN 1 THEN 'rare' ELSE 'common' END, 'sha256:' || repeat('5', 64), 1000, '{}'
FROM (VALUES ('small', 101), ('large', 30000)) AS of(name, count) JOIN repositories USING (name),
     generate_series(1, of.count) AS number;
INSERT INTO tags (repository_id, tag, digest)
SELECT id, 'v' || number, 'sha256:' || encode(sha256(number::text::bytea), 'hex')
FROM (VALUES ('small', 101), ('large', 30000)) AS of(name, count) JOIN repositories USING (name),
     generate_series(1, of.count) AS number;
"""


class Explained(Database):
    """A database that remembers how PostgreSQL found each answer, by the plan that prepared statements come to."""

    plans: list[dict[str, Any]]

    async def ask(self, question: Question, **given: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
            told = await connection.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {question.text}", *question.arguments(given)
            )
        finally:
            await connection.close()
        self.plans.append(json.loads(told)[0]["Plan"])
        return await super().ask(question, **given)


def rows_read(plan: dict[str, Any]) -> int:
    """The rows that all scans of the plan looked at, taken or not."""
    below = sum(rows_read(one) for one in plan.get("Plans", []))
    if "Scan" not in plan["Node Type"] or plan["Node Type"] in {"Function Scan", "Subquery Scan", "CTE Scan"}:
        return below
    seen = plan["Actual Rows"] + sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return below + round(seen * plan["Actual Loops"])


@pytest.fixture(scope="module")
async def explained(postgres_url: str) -> AsyncIterator[Explained]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA pages")
        url = f"{postgres_url}&options=-csearch_path%3Dpages"
        migrations.upgrade(url)
        with psycopg.connect(url, autocommit=True) as own:
            own.execute(_FILL)
            # As autovacuum does within a minute of so many new rows.
            own.execute("ANALYZE repositories, images, tags")
        database = Explained(url)
        yield database
        await database.close()
        connection.execute("DROP SCHEMA pages CASCADE")


async def _referrers(database: Database, name: str, *types: str) -> tuple[Referrer, ...]:
    page = await referrers.page(database, REGISTRY, name, SUBJECT, artifact_types=types, limit=PAGE)
    return page.referrers


Listing = Callable[[Database, str], Awaitable[Sequence[Any]]]
LISTINGS: dict[str, Listing] = {
    "tags": lambda database, name: lists.tag_names(database, REGISTRY, name, after="v", limit=PAGE),
    "tags from the middle": lambda database, name: lists.tag_names(database, REGISTRY, name, after="v0", limit=PAGE),
    "referrers": _referrers,
    "referrers of a rare type": lambda database, name: _referrers(database, name, "rare"),
    "referrers of two types": lambda database, name: _referrers(database, name, "rare", "common", "rare"),
    "repositories": lambda database, name: repositories.page(database, REGISTRY, after=name, limit=PAGE),
}


@pytest.mark.parametrize("listing", LISTINGS)
async def test_a_page_reads_what_is_on_it(explained: Explained, listing: str) -> None:
    for name in LENGTHS:
        explained.plans = []
        found = await LISTINGS[listing](explained, name)
        read = sum(rows_read(plan) for plan in explained.plans)
        # One for the repository, and one for each of two types that there might be more of.
        assert read <= 2 * max(len(found), PAGE) + 10, explained.plans
        assert len(found) == (PAGE if listing != "referrers of a rare type" else {"small": 1, "large": 30}[name])


async def test_where_images_are_archived_each_tag_costs_a_look_at_its_image(explained: Explained) -> None:
    with psycopg.connect(explained.url, autocommit=True) as connection:
        archived = "UPDATE images SET storage_class = %s WHERE digest = %s"
        first = f"sha256:{'6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b'}"
        connection.execute(archived, ("ARCHIVE", first))
        try:
            explained.plans = []
            found = await LISTINGS["tags"](explained, "large")
        finally:
            connection.execute(archived, ("STANDARD", first))
    assert len(found) == PAGE
    assert "v1" not in found
    assert sum(rows_read(plan) for plan in explained.plans) <= 5 * PAGE
