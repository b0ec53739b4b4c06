"""What was kept for as long as the settings say goes away, some rows at a time: nobody waits for it."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, bindparam, delete, select, tuple_

from berth.database.db import Database
from berth.database.questions import Question
from berth.schema import audited_hours, audited_principals, audited_requests
from berth.schema.tables import Moment

BATCH = 1000
# A principal is noted to be in use each hour at most (berth/audit/statements.py), and asked about by rows of that hour.
_GRAIN = timedelta(hours=2)
_BEFORE = bindparam("before", type_=Moment)
_LIMIT = bindparam("limit", type_=BigInteger())
_PLACE = (audited_requests.c.hour, audited_requests.c.account, audited_requests.c.id)
_REQUESTS = Question(
    delete(audited_requests)
    .where(
        tuple_(*_PLACE).in_(select(*_PLACE).where(audited_requests.c.hour < _BEFORE).order_by(*_PLACE).limit(_LIMIT))
    )
    .returning(audited_requests.c.id)
)
_PRINCIPALS = Question(
    delete(audited_principals)
    .where(
        # Said again outside: it may have come into use while this waited for its row.
        audited_principals.c.last_at < _BEFORE,
        audited_principals.c.id.in_(
            select(audited_principals.c.id).where(audited_principals.c.last_at < _BEFORE).limit(_LIMIT)
        ),
    )
    .returning(audited_principals.c.id)
)
_HOURS = Question(delete(audited_hours).where(audited_hours.c.hour < _BEFORE).returning(audited_hours.c.hour))


async def forget(database: Database, days: int, *, at_most: float) -> int:
    """Remove what is older, for at most so many seconds; return how many rows of requests went. 0 days: all of it."""
    ends = time.monotonic() + at_most
    now = datetime.now(UTC)
    # The hour under way is older than no days at all, too.
    before = now - timedelta(days=days) if days else now + timedelta(days=1)
    gone = await _forget_by(_REQUESTS, database, before, ends)
    await _forget_by(_PRINCIPALS, database, before - _GRAIN if days else before, ends)
    await database.ask(_HOURS, before=before)
    return gone


async def _forget_by(question: Question, database: Database, before: datetime, ends: float) -> int:
    gone = 0
    while time.monotonic() < ends:
        rows = await database.ask(question, before=before, limit=BATCH)
        gone += len(rows)
        if len(rows) < BATCH:
            break
    return gone
