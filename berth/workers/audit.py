"""What was asked and decided is forgotten when its days are over."""

import structlog
from procrastinate import JobContext

from berth.audit import forgetting
from berth.workers.tools import tools_of

log = structlog.get_logger()

# What is left then, the next job goes on with.
SECONDS = 50.0


async def forget_requests(context: JobContext, timestamp: int) -> None:
    del timestamp
    tools = tools_of(context)
    days = tools.settings.audit_days
    gone = await forgetting.forget(tools.database, days, at_most=SECONDS)
    if gone:
        log.info("removed what is too old of the audit log", rows=gone, days=days)
