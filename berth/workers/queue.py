"""The queue, on procrastinate: which jobs there are, when they run, and how a process reaches it."""

from collections.abc import Awaitable, Callable

from procrastinate import App, JobContext, PsycopgConnector

from berth.database.db import driver_url
from berth.workers import audit, collection, expiry, previews, upkeep
from berth.workers.retry import UntilDone

CONCURRENCY = 4

# Each with its hours, as cron has them; the number that it is given is the second that it was due.
JOBS: tuple[tuple[Callable[[JobContext, int], Awaitable[None]], str], ...] = (
    (collection.collect_garbage, "* * * * *"),
    (collection.sweep_store, "27 4 * * 0"),
    (expiry.expire_uploads, "*/10 * * * *"),
    (audit.forget_requests, "*/10 * * * *"),
    (previews.expire_previews, "41 * * * *"),
    (upkeep.take_over_jobs, "* * * * *"),
    (upkeep.forget_failed_jobs, "17 3 * * *"),
)
# Those that a room hands in by `berth.jobs.defer`, under these names.
HANDED_IN: tuple[Callable[..., Awaitable[None]], ...] = (previews.preview_lifecycle_policy,)


def make_queue(database_url: str) -> App:
    """The queue in that database, not yet open."""
    # One connection listens; the jobs' statements about themselves share the others.
    connector = PsycopgConnector(
        conninfo=driver_url(database_url),
        kwargs={"application_name": "berth worker", "connect_timeout": 5},
        min_size=1,
        max_size=CONCURRENCY,
        timeout=10,
    )
    queue = App(connector=connector)
    for job, hours in JOBS:
        name = job.__name__
        # Of each no more than one waits. Two may run at once: no lock, for one would outlive a worker that dies.
        queue.periodic(cron=hours)(queue.task(name=name, queueing_lock=name, pass_context=True)(job))
    for handed_in in HANDED_IN:
        queue.task(name=handed_in.__name__, pass_context=True, retry=UntilDone())(handed_in)
    return queue
