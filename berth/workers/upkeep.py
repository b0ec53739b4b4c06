"""The queue's own upkeep: jobs whose worker died are done by another, and what failed long ago is forgotten."""

import structlog
from procrastinate import JobContext
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

log = structlog.get_logger()

# A worker gives a sign of life every 10 s.
DEAD_SECONDS = 60
FAILED_JOBS_HOURS = 30 * 24


async def take_over_jobs(context: JobContext, timestamp: int) -> None:
    """A job may so be done twice: each must bear that."""
    del timestamp
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
        log.warning("the worker of a job died; it is done again", job=job.task_name, id=job.id)
        try:
            await context.app.job_manager.retry_job(job)
        except UniqueViolation:
            # One of the same kind waits already, and does what this one left.
            await context.app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


async def forget_failed_jobs(context: JobContext, timestamp: int) -> None:
    del timestamp
    await context.app.job_manager.delete_old_jobs(
        nb_hours=FAILED_JOBS_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
