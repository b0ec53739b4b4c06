"""The worker's jobs, from the queue on."""

import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from procrastinate import App, JobContext
from procrastinate.jobs import Job, Status
from sqlalchemy import text

from berth import repositories, uploads
from berth.database.db import Database
from berth.errors import UploadNotFound
from berth.names import Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.store.contract import Written
from berth.uploads import Session
from berth.workers.queue import make_queue
from berth.workers.tools import KEY, Tools
from berth.workers.upkeep import take_over_jobs

LONG_AGO = "now() - interval '25 hours'"


@pytest.fixture
async def repository(database: Database, registry: Registry) -> Repository:
    return await repositories.create(database, registry, RepositoryName("app"), mutability=Mutability("MUTABLE"))


async def work(queue: App, tools: Tools) -> None:
    """Do every job that waits."""
    await queue.run_worker_async(
        wait=False, install_signal_handlers=False, delete_jobs="successful", additional_context={KEY: tools}
    )


async def statuses(queue: App) -> dict[str, Status]:
    jobs = await queue.job_manager.list_jobs_async()
    return {job.task_name: Status(job.status) for job in jobs}


async def chunks() -> AsyncIterator[bytes]:
    yield b"some bytes"


async def test_uploads_that_nobody_finished_go_away(queue: App, tools: Tools, repository: Repository) -> None:
    database, store = tools.database, tools.store
    registry, name = repository.registry, repository.name
    old, new = [
        Session(registry, name, "me", (await uploads.begin(database, registry, name, "me")).id) for _ in range(2)
    ]
    await uploads.append(database, store, old, chunks())
    async with database.transaction() as connection:
        await connection.execute(text(f"UPDATE uploads SET touched_at = {LONG_AGO} WHERE id = :id"), {"id": old.id})
    await queue.configure_task("expire_uploads").defer_async(timestamp=0)
    await work(queue, tools)
    assert await statuses(queue) == {}, "what succeeded is forgotten"
    with pytest.raises(UploadNotFound):
        await uploads.find(database, old)
    assert (await uploads.find(database, new)).received == 0


async def test_files_that_no_upload_knows_go_away(queue: App, tools: Tools, tmp_path: Path) -> None:
    orphan, fresh = uuid.uuid4(), uuid.uuid4()
    for upload in (orphan, fresh):
        async with tools.store.claim(upload) as draft:
            await draft.append(Written(), chunks())
    (file,) = tmp_path.rglob(str(orphan))
    long_ago = time.time() - 25 * 3600
    os.utime(file, (long_ago, long_ago))
    await queue.configure_task("expire_uploads").defer_async(timestamp=0)
    await work(queue, tools)
    assert not file.exists()
    assert list(tmp_path.rglob(str(fresh)))


async def die_at_work(queue: App, tools: Tools) -> None:
    """Be a worker that takes a job and is not heard of again."""
    await queue.configure_task("expire_uploads").defer_async(timestamp=0)
    dead = await queue.job_manager.register_worker()
    job = await queue.job_manager.fetch_job(queues=None, worker_id=dead)
    assert job is not None
    async with tools.database.transaction() as connection:
        statement = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes' WHERE id = :id"
        await connection.execute(text(statement), {"id": dead})


@pytest.mark.parametrize("waits", [False, True])
async def test_the_job_of_a_dead_worker_is_done_by_another(queue: App, tools: Tools, waits: bool) -> None:
    await die_at_work(queue, tools)
    if waits:
        await queue.configure_task("expire_uploads").defer_async(timestamp=1)
    context = JobContext(
        app=queue,
        start_timestamp=0,
        job=Job(id=None, queue="default", lock=None, queueing_lock=None, task_name="take_over_jobs"),
        abort_reason=lambda: None,
    )
    await take_over_jobs(context, 0)
    assert await statuses(queue) == {"expire_uploads": Status.TODO}
    await work(queue, tools)
    assert await statuses(queue) == {}


async def test_jobs_that_failed_long_ago_are_forgotten(queue: App, tools: Tools) -> None:
    async with tools.database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('default', 'gone', 'failed')")
        )
        await connection.execute(text("UPDATE procrastinate_events SET at = now() - interval '31 days'"))
        await connection.execute(
            text(
                "INSERT INTO procrastinate_events (job_id, type, at)"
                " SELECT id, 'failed', now() - interval '31 days' FROM procrastinate_jobs"
            )
        )
    await queue.configure_task("forget_failed_jobs").defer_async(timestamp=0)
    await work(queue, tools)
    assert await statuses(queue) == {}


def test_every_job_runs_by_the_clock(postgres_url: str) -> None:
    queue = make_queue(postgres_url)
    periodic = {task.task.name: task.cron for task in queue.periodic_registry.periodic_tasks.values()}
    assert periodic == {
        "collect_garbage": "* * * * *",
        "sweep_store": "27 4 * * 0",
        "forget_requests": "*/10 * * * *",
        "expire_previews": "41 * * * *",
        "expire_uploads": "*/10 * * * *",
        "take_over_jobs": "* * * * *",
        "forget_failed_jobs": "17 3 * * *",
    }
