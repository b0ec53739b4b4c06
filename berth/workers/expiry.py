"""Uploads that nobody finished go away, with the bytes that they left in the store."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from berth import uploads
from berth.workers.tools import Tools, tools_of

log = structlog.get_logger()

jobs = Blueprint()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="expire_uploads", queueing_lock="expire_uploads", lock="expire_uploads", pass_context=True)
async def expire_uploads(context: JobContext, timestamp: int) -> None:
    del timestamp
    await expire(tools_of(context))


async def expire(tools: Tools) -> None:
    untouched_for = timedelta(hours=tools.settings.upload_expiry_hours)
    expired = await uploads.expire(tools.database, tools.store, untouched_for)
    if expired:
        log.info("removed uploads that nobody finished", uploads=expired, hours=tools.settings.upload_expiry_hours)
