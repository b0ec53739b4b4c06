"""A worker in this process, for tests of what jobs come to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
from procrastinate import App

from berth.database.db import Database
from berth.settings import Settings
from berth.store.filesystem import FilesystemStore
from berth.workers.queue import make_queue
from berth.workers.tools import KEY, Tools

Work = Callable[[], Awaitable[None]]


@pytest.fixture
def tools(settings: Settings, database: Database, tmp_path: Path) -> Tools:
    return Tools(settings, database, FilesystemStore(tmp_path))


@pytest.fixture
async def queue(postgres_url: str) -> AsyncIterator[App]:
    """The queue of jobs, empty; the clock hands none in."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("TRUNCATE procrastinate_jobs, procrastinate_periodic_defers, procrastinate_events CASCADE")
    queue = make_queue(postgres_url)
    queue.periodic_registry.periodic_tasks.clear()
    async with queue.open_async():
        yield queue


@pytest.fixture
def work(queue: App, tools: Tools) -> Work:
    """Does every job that waits."""

    async def work() -> None:
        await queue.run_worker_async(
            wait=False, install_signal_handlers=False, delete_jobs="successful", additional_context={KEY: tools}
        )

    return work
