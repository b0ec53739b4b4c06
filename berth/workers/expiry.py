"""Uploads that nobody finished go away, with the bytes that they left in the store."""

from datetime import timedelta

import structlog
from procrastinate import JobContext

from berth import uploads
from berth.workers.tools import tools_of

log = structlog.get_logger()


async def expire_uploads(context: JobContext, timestamp: int) -> None:
    del timestamp
    tools = tools_of(context)
    hours = tools.settings.upload_expiry_hours
    expired = await uploads.expire(tools.database, tools.store, timedelta(hours=hours))
    if expired:
        log.info("removed uploads that nobody finished", uploads=expired, hours=hours)
