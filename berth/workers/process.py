"""The worker's process: it works until SIGTERM, whatever becomes of the database meanwhile."""

import asyncio
import contextlib
import signal

import psycopg
import psycopg_pool
import structlog
from procrastinate.exceptions import ConnectorException

from berth.database.db import Database
from berth.settings import Settings
from berth.store.kinds import store_of
from berth.workers.queue import CONCURRENCY, make_queue
from berth.workers.tools import KEY, Tools

log = structlog.get_logger()

# From SIGTERM on, for the jobs under way; then they are cancelled, and done again by another worker.
DRAIN_SECONDS = 20.0
RECONNECT_SECONDS = 2.0


async def run(settings: Settings, database_url: str) -> None:
    working = asyncio.create_task(_work(settings, database_url))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working
    log.info("stopped")


async def _work(settings: Settings, database_url: str) -> None:
    database = Database(database_url, pool=CONCURRENCY)
    store = store_of(settings)
    tools = Tools(settings, database, store)
    try:
        while True:
            with contextlib.suppress(ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout, OSError):
                await _work_while_connected(database_url, tools)
            log.warning("the queue cannot be reached; trying again", in_seconds=RECONNECT_SECONDS)
            await asyncio.sleep(RECONNECT_SECONDS)
    finally:
        await store.close()
        await database.close()


async def _work_while_connected(database_url: str, tools: Tools) -> None:
    """Do jobs until the connection breaks, or this is cancelled."""
    queue = make_queue(database_url)
    async with queue.open_async():
        log.info("waiting for jobs")
        await queue.run_worker_async(
            name="berth",
            concurrency=CONCURRENCY,
            delete_jobs="successful",
            shutdown_graceful_timeout=DRAIN_SECONDS,
            install_signal_handlers=False,
            additional_context={KEY: tools},
        )
