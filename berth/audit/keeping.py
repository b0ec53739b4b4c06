"""What a process counted is added to PostgreSQL, every few seconds and when the process ends.

No request waits for it. What was counted since the last time is lost where a process dies at once (`kill -9`). While
PostgreSQL does not answer, counting goes on within the memory that there is for it.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from berth.audit import statements
from berth.audit.counting import AuditLog, Beyond, Counted
from berth.audit.rows import AskerRow, RequestRow, asker_row, hour_of, request_row
from berth.database.db import Asking, Database, DatabaseUnavailable

log = structlog.get_logger()

KEEPING_SECONDS = 5.0
# When a process ends, it waits no longer for the last of it.
LAST_SECONDS = 5.0
# Of an hour, an account has so many rows at most: some 10 MB.
MOST_ROWS = 10_000

# An hour and an account.
Part = tuple[datetime, str]


@contextlib.asynccontextmanager
async def keeping(audit: AuditLog, database: Database) -> AsyncIterator[None]:
    """Keep what is counted for as long as the context lasts."""
    if not audit.is_on:
        yield
        return
    ending = asyncio.Event()
    task = asyncio.create_task(_keep(audit, database, ending), name="audit")
    try:
        yield
    finally:
        # What is being kept is kept to its end: cut off, it might be counted again.
        ending.set()
        await asyncio.wait([task], timeout=LAST_SECONDS)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep(audit: AuditLog, database: Database, ending: asyncio.Event) -> None:
    while not ending.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEPING_SECONDS):
                await ending.wait()
        await keep(audit, database)
    # What was counted while that was kept.
    await keep(audit, database)


async def keep(audit: AuditLog, database: Database, most_rows: int = MOST_ROWS) -> None:
    """Add what was counted to what is kept; counted again the next time, where it cannot be."""
    counted = audit.take()
    if not counted:
        return
    try:
        await _add(database, counted, most_rows)
    except (DatabaseUnavailable, TimeoutError) as error:
        audit.put_back(counted)
        log.debug("what was asked is not kept now", because=str(error))
    except asyncio.CancelledError:
        audit.put_back(counted)
        raise
    except Exception:
        # Whatever it is of all this that cannot be kept: how many requests there were can.
        log.exception("keeping what was asked met a fault of Berth's own")
        audit.put_back(counted.as_numbers())


async def _add(database: Database, counted: Counted, most_rows: int) -> None:
    askers, parts = _rows(counted)
    beyond: dict[Part, Beyond] = {}
    for account, added in counted.beyond.items():
        beyond[statements.this_hour(), account] = added
    async with database.asking() as ask:
        await statements.put_askers(ask, sorted(askers.values(), key=lambda row: row.id))
        # In the same order everywhere: each waits for the one before it, and none for one that waits for it.
        for part in sorted({*parts, *beyond}):
            await _add_part(ask, part, parts[part], beyond.get(part, Beyond()), most_rows)


async def _add_part(ask: Asking, part: Part, rows: dict[str, RequestRow], beyond: Beyond, most_rows: int) -> None:
    """Add the rows that there is room for; the requests of the others are beyond."""
    there = await statements.hold_part(ask, *part)
    known = await statements.known(ask, *part, list(rows)) if there else set()
    fitting = {id_: row for id_, row in rows.items() if id_ in known}
    for id_, row in rows.items():
        if id_ in known:
            continue
        if there + len(fitting) - len(known) < most_rows:
            fitting[id_] = row
        else:
            beyond.add(row.allowed, row.requests)
    await statements.put_requests(ask, *part, list(fitting.values()))
    await statements.count_part(ask, *part, len(fitting) - len(known), beyond.allowed, beyond.refused)


def _rows(counted: Counted) -> tuple[dict[str, AskerRow], dict[Part, dict[str, RequestRow]]]:
    """By their ids; requests that differ in nothing that is kept are of one row."""
    askers: dict[str, AskerRow] = {}
    by_key: dict[str, AskerRow] = {}
    parts: dict[Part, dict[str, RequestRow]] = defaultdict(dict)
    for entry in counted.entries.values():
        asker = by_key.get(entry.ruled.principal.key)
        if asker is None:
            asker = by_key[entry.ruled.principal.key] = asker_row(entry)
            askers[asker.id] = asker
        row = request_row(entry, asker.id)
        rows = parts[hour_of(entry.first_at), asker.account]
        if row.id in rows:
            rows[row.id].add(row)
        else:
            rows[row.id] = row
    return askers, parts
