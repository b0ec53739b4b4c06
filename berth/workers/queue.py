"""The queue, on procrastinate: which jobs there are, and how a process reaches it."""

from procrastinate import App, PsycopgConnector

from berth.db import driver_url
from berth.workers import expiry, upkeep

CONCURRENCY = 4


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
    queue.add_tasks_from(expiry.jobs, namespace="uploads")
    queue.add_tasks_from(upkeep.jobs, namespace="queue")
    return queue
