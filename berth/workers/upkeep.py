"""The queue's own upkeep: jobs whose worker died are done by another, and what failed long ago is forgotten."""

import structlog
from procrastinate import Blueprint, JobContext

log = structlog.get_logger()

jobs = Blueprint()

# A worker gives a sign of life every 10 s.
DEAD_SECONDS = 60
FAILED_JOBS_HOURS = 30 * 24


@jobs.periodic(cron="* * * * *")
@jobs.task(name="take_over_jobs", queueing_lock="take_over_jobs", pass_context=True)
async def take_over_jobs(context: JobContext, timestamp: int) -> None:
    """A job may so be done twice: each must bear that."""
    del timestamp
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
        log.warning("the worker of a job died; it is done again", job=job.task_name, id=job.id)
        await context.app.job_manager.retry_job(job)


@jobs.periodic(cron="17 3 * * *")
@jobs.task(name="forget_failed_jobs", queueing_lock="forget_failed_jobs", pass_context=True)
async def forget_failed_jobs(context: JobContext, timestamp: int) -> None:
    del timestamp
    await context.app.job_manager.delete_old_jobs(
        nb_hours=FAILED_JOBS_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
