"""What a preview of a lifecycle policy comes to in the database, whatever the repository holds and whatever fails."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from procrastinate import App, JobContext
from procrastinate.jobs import Job, Status
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import repositories as room
from berth.database.db import Database, DatabaseUnavailable
from berth.images.lists import TagStatus
from berth.lifecycle import contents, document, previewing, previews
from berth.lifecycle.evaluate import Image
from berth.lifecycle.policy import Policy
from berth.names import Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.schema import image_references, images, lifecycle_preview_results, tags
from berth.settings import Settings
from berth.workers.tools import Tools
from berth.workers.upkeep import take_over_jobs
from tests.integration.conftest import Work
from tests.unit.lifecycle.statement import NOW, Stored, outcome, policies, repositories

KEEP_TEN = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
                "action": {"type": "expire"},
            }
        ]
    }
)
# No moment of `statement` lies a whole number of days or hours before this one: the database's clock moves on.
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
async def repository(database: Database, registry: Registry) -> Repository:
    return await make(database, registry, "app")


async def make(database: Database, registry: Registry, name: str) -> Repository:
    return await room.create(database, registry, RepositoryName(name), mutability=Mutability("MUTABLE"))


async def fill(database: Database, repository: Repository, stored: Sequence[Stored]) -> None:
    mine = {"repository_id": repository.id}
    async with database.transaction() as connection:
        shift = await connection.scalar(text("SELECT now()")) - LATER
        for image in stored:
            row = {
                "digest": image.digest,
                "media_type": "application/vnd.oci.image.manifest.v1+json",
                "subject": image.subject,
                "size": 1,
                "manifest": b"{}",
                "storage_class": image.storage_class.upper(),
            }
            moments = {
                "pushed_at": image.pushed,
                "last_pulled_at": image.pulled,
                "archived_at": image.archived,
                "activated_at": image.activated,
            }
            shifted = {name: moment and moment + shift for name, moment in moments.items()}
            await connection.execute(insert(images).values({**mine, **row, **shifted}))
            for tag in image.tags:
                await connection.execute(insert(tags).values({**mine, "tag": tag, "digest": image.digest}))
            for digest in image.lists:
                reference = {"digest": image.digest, "referenced": digest, "kind": "image", "media_type": "any"}
                archived = {"archived_at": image.archived if image.is_archived else None}
                await connection.execute(insert(image_references).values({**mine, **reference, **archived}))


async def found(database: Database, registry: Registry, name: str) -> list[previews.Result]:
    """All the results of a preview that is complete."""
    preview = await previews.get(database, registry, name)
    assert preview.status == previews.COMPLETE
    return await previews.results(database, preview, status=TagStatus.ANY, after=None, limit=200_000)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repositories(), policies())
async def test_a_preview_comes_to_what_the_rules_say(
    database: Database, registry: Registry, monkeypatch: pytest.MonkeyPatch, stored: list[Stored], policy: Policy
) -> None:
    monkeypatch.setattr(document, "parse", lambda _: policy)
    name = f"r{uuid.uuid4().hex}"
    await fill(database, await make(database, registry, name), stored)
    await previews.start(database, registry, name, KEEP_TEN)
    preview = await previews.get(database, registry, name)
    await previewing.run(database, preview.repository_id, preview.id)
    results = await found(database, registry, name)
    assert {result.digest: result.rule_priority for result in results} == outcome(stored, policy, LATER)
    assert results == sorted(results, key=lambda result: (result.ordered_at, result.digest))
    by_digest = {image.digest: image for image in stored}
    for result in results:
        image = by_digest[result.digest]
        assert (result.tags, result.storage_class) == (image.tags, image.storage_class.upper())
    preview = await previews.get(database, registry, name)
    actions = {rule.priority: rule.action.type for rule in policy.rules}
    acted = [actions[result.rule_priority] for result in results]
    assert [result.action.lower() for result in results] == acted
    assert (preview.expiring, preview.transitioning) == (acted.count("expire"), acted.count("transition"))


# 100,000 images: 70,000 with a tag, one a minute; signatures of 20,000 of them; 10,000 lists that reference one each.
MANY = """
INSERT INTO images (repository_id, digest, media_type, size, manifest, pushed_at, subject)
SELECT :id, digest(number), 'any', 1, '{}', now() - interval '9 days' - number * interval '1 minute',
  CASE WHEN number BETWEEN 70000 AND 89999 THEN digest(number - 70000) END
FROM generate_series(0, 99999) AS number;
INSERT INTO tags (repository_id, tag, digest)
SELECT :id, 'v' || number, digest(number) FROM generate_series(0, 69999) AS number;
INSERT INTO image_references (repository_id, digest, referenced, kind, media_type)
SELECT :id, digest(number), digest(number - 50000), 'image', 'any' FROM generate_series(90000, 99999) AS number;
"""
DIGEST = "'sha256:' || encode(sha256(CAST(CAST({} AS text) AS bytea)), 'hex')"


async def fill_with_100_000(database: Database, repository: Repository) -> None:
    async with database.transaction() as connection:
        for statement in MANY.replace(":id", str(repository.id)).split(";\n"):
            if statement:
                for argument in ("number", "number - 70000", "number - 50000"):
                    statement = statement.replace(f"digest({argument})", DIGEST.format(argument))
                await connection.execute(text(statement))
        # As autovacuum does after so many new rows; until then, the statistics are those of a few.
        await connection.execute(text("ANALYZE images, tags, image_references"))


async def test_100_000_images_are_previewed_in_batches_and_in_flat_memory(
    database: Database, registry: Registry, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, batches, memory = psutil.Process(), list[int](), list[int]()
    stream = contents.newest_first

    async def watched(connection: AsyncConnection, repository_id: int) -> AsyncIterator[Sequence[Image]]:
        async for batch in stream(connection, repository_id):
            batches.append(len(batch))
            memory.append(process.memory_info().rss)
            yield batch

    monkeypatch.setattr(contents, "newest_first", watched)
    await fill_with_100_000(database, repository)
    await previews.start(database, registry, "app", KEEP_TEN)
    preview = await previews.get(database, registry, "app")
    before = process.memory_info().rss
    await previewing.run(database, preview.repository_id, preview.id)
    assert batches == [contents.BATCH] * 100
    assert max(memory) - before < 30_000_000
    preview = await previews.get(database, registry, "app")
    # The 10 newest stay with their signatures, and what is in a list.
    assert (preview.status, preview.expiring, preview.transitioning) == ("COMPLETE", 100_000 - 10 - 10 - 10_000, 0)


async def job_of(queue: App) -> Job:
    (job,) = await queue.job_manager.list_jobs_async(task=previewing.JOB)
    return job


@pytest.fixture
async def started(database: Database, registry: Registry, repository: Repository, queue: App) -> previews.Preview:
    """A preview that no worker has begun, of 12 images of which 2 are to expire."""
    moments = [NOW - timedelta(hours=number) for number in range(12)]
    stored = [Stored(f"sha256:{number:064x}", (f"v{number}",), moment) for number, moment in enumerate(moments)]
    await fill(database, repository, stored)
    await previews.start(database, registry, "app", KEEP_TEN)
    return await previews.get(database, registry, "app")


async def test_a_preview_that_fails_says_so_and_may_be_started_again(
    database: Database, registry: Registry, started: previews.Preview, queue: App, work: Work, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(document, "parse", lambda _: 1 / 0)
        await work()
    assert (await previews.get(database, registry, "app")).status == "FAILED"
    assert (await job_of(queue)).status == Status.FAILED.value
    await previews.start(database, registry, "app", KEEP_TEN)
    await work()
    assert len(await found(database, registry, "app")) == 2


async def test_a_preview_outlives_a_restart_of_the_database(
    database: Database, registry: Registry, started: previews.Preview, queue: App, work: Work, monkeypatch: Any
) -> None:
    async def cut(connection: AsyncConnection, repository_id: int) -> AsyncIterator[Sequence[Image]]:
        yield [Image(f"sha256:{number:064x}", (), "standard", NOW) for number in range(20)]
        raise DatabaseUnavailable("InterfaceError")

    with monkeypatch.context() as patch:
        patch.setattr(contents, "newest_first", cut)
        await work()
    assert (await previews.get(database, registry, "app")).status == "IN_PROGRESS"
    job = await job_of(queue)
    assert (job.status, job.attempts) == (Status.TODO.value, 1)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    await work()
    assert len(await found(database, registry, "app")) == 2


async def test_a_preview_outlives_kill_9_of_its_worker(
    database: Database, registry: Registry, started: previews.Preview, queue: App, work: Work, settings: Settings
) -> None:
    environment = {**os.environ, **settings.environment()}
    async with kept_from_writing(database) as is_waiting:
        worker = subprocess.Popen([sys.executable, "-m", "berth.workers"], env=environment, stdout=subprocess.DEVNULL)
        try:
            await is_waiting()
        finally:
            worker.kill()
            await asyncio.to_thread(worker.wait)
    assert (await previews.get(database, registry, "app")).status == "IN_PROGRESS"
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"))
    context = JobContext(
        app=queue,
        start_timestamp=0,
        job=Job(id=None, queue="default", lock=None, queueing_lock=None, task_name="take_over_jobs"),
        abort_reason=lambda: None,
    )
    await take_over_jobs(context, 0)
    await work()
    assert len(await found(database, registry, "app")) == 2


@asynccontextmanager
async def kept_from_writing(database: Database) -> AsyncIterator[Any]:
    """Nobody can store results meanwhile; gives what waits until somebody wants to."""

    async def is_waiting() -> None:
        question = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        for _ in range(300):
            async with database.reading() as connection:
                if await connection.scalar(question):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError("no worker has begun the job")

    async with database.transaction() as connection:
        await connection.execute(text("LOCK TABLE lifecycle_preview_results IN EXCLUSIVE MODE"))
        yield is_waiting


async def test_a_worker_that_is_stopped_leaves_its_preview_to_the_next(
    database: Database, registry: Registry, started: previews.Preview, queue: App, work: Work, tools: Tools
) -> None:
    async with kept_from_writing(database) as is_waiting:
        working = asyncio.create_task(
            queue.run_worker_async(
                install_signal_handlers=False, shutdown_graceful_timeout=0.1, additional_context={"tools": tools}
            )
        )
        await is_waiting()
        working.cancel()
        await asyncio.wait([working])
    assert (await job_of(queue)).status == Status.TODO.value
    await work()
    assert len(await found(database, registry, "app")) == 2


async def test_a_job_that_is_done_twice_at_once_is_done_once(
    database: Database, registry: Registry, started: previews.Preview
) -> None:
    await asyncio.gather(*(previewing.run(database, started.repository_id, started.id) for _ in range(4)))
    assert len(await found(database, registry, "app")) == 2


async def test_a_job_of_an_earlier_preview_does_nothing(
    database: Database, registry: Registry, started: previews.Preview
) -> None:
    await previewing.run(database, started.repository_id, started.id)
    await previews.start(database, registry, "app", KEEP_TEN)
    await previewing.run(database, started.repository_id, started.id)
    assert (await previews.get(database, registry, "app")).status == "IN_PROGRESS"
    again = await previews.get(database, registry, "app")
    await previewing.run(database, again.repository_id, again.id)
    mine = lifecycle_preview_results.c.repository_id == started.repository_id
    async with database.reading() as connection:
        ids = await connection.scalars(select(lifecycle_preview_results.c.preview_id).where(mine))
        assert set(ids) == {again.id}
