"""When a job that did not come to its end is done again by itself."""

import asyncio

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job

from berth.database.db import DatabaseUnavailable

DATABASE_SECONDS = 10


class UntilDone(BaseRetryStrategy):
    """Again where nothing is wrong with the job itself: its worker was stopped, or PostgreSQL went away."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        del job
        if isinstance(exception, (JobAborted, asyncio.CancelledError)):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, DatabaseUnavailable):
            return RetryDecision(retry_in={"seconds": DATABASE_SECONDS})
        return None
