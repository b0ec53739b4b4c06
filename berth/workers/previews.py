"""Previews of lifecycle policies are evaluated here, and forgotten when they are too old."""

import structlog
from procrastinate import JobContext

from berth.lifecycle import previewing
from berth.workers.tools import tools_of

log = structlog.get_logger()


async def preview_lifecycle_policy(context: JobContext, repository_id: int, preview_id: int) -> None:
    await previewing.run(tools_of(context).database, repository_id, preview_id)


async def expire_previews(context: JobContext, timestamp: int) -> None:
    del timestamp
    expired = await previewing.forget_expired(tools_of(context).database)
    if expired:
        log.info("forgot what previews of lifecycle policies found", previews=expired)
