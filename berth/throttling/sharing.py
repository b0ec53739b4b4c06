"""How machines share their buckets: each tells PostgreSQL what it took, and hears how much all took together.

No request waits for that. Between one telling and the next a machine knows only its own: what is taken too much
meanwhile is owed, and missing later, so that the rate is kept in the long run whatever the number of machines.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from sqlalchemy import ARRAY, Double, Text, bindparam, text

from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question
from berth.tasks import beside
from berth.throttling.buckets import BURST_SECONDS, Bucket, Throttle

log = structlog.get_logger()

# So often at most a process tells what it took.
TELLING_SECONDS = 0.2
# More than this is not owed beyond the burst, in seconds of the bucket's rate.
MOST_OWED_SECONDS = 50
# Of buckets that have been full for an hour nothing is kept; a process looks after so many tellings.
TELLINGS_PER_SWEEP = 1000

_TELL = Question(
    text(
        """
        INSERT INTO throttles AS kept (bucket, full_at)
        SELECT taken.bucket, statement_timestamp() + make_interval(secs => taken.seconds)
        FROM unnest(:buckets, :seconds) AS taken(bucket, seconds)
        ORDER BY taken.bucket COLLATE "C"
        ON CONFLICT (bucket) DO UPDATE SET full_at = least(
            greatest(kept.full_at, clock_timestamp()) + (excluded.full_at - statement_timestamp()),
            clock_timestamp() + make_interval(secs => :most)
        )
        RETURNING bucket, CAST(extract(epoch FROM full_at - clock_timestamp()) AS double precision) AS ahead
        """
    ).bindparams(
        bindparam("buckets", type_=ARRAY(Text)),
        bindparam("seconds", type_=ARRAY(Double)),
        bindparam("most", BURST_SECONDS + MOST_OWED_SECONDS, Double),
    )
)
_SWEEP = Question(text("DELETE FROM throttles WHERE full_at < clock_timestamp() - interval '1 hour'"))


@contextlib.asynccontextmanager
async def sharing(throttle: Throttle, database: Database) -> AsyncIterator[None]:
    """Share the buckets with all that use the database, for as long as the context lasts."""
    if not throttle.is_on:
        yield
        return
    woken = asyncio.Event()
    throttle.on_busy = woken.set
    try:
        async with beside(_share(throttle, database, woken), "throttling"):
            yield
    finally:
        throttle.on_busy = None


async def _share(throttle: Throttle, database: Database, woken: asyncio.Event) -> None:
    tellings = 0
    while True:
        await woken.wait()
        woken.clear()
        busy, throttle.busy = throttle.busy, {}
        try:
            await _tell(busy, database)
            tellings += 1
            if tellings % TELLINGS_PER_SWEEP == 0:
                await database.ask(_SWEEP)
        except (DatabaseUnavailable, TimeoutError) as error:
            log.debug("rates are not shared with other machines now", because=str(error))
        except Exception:
            log.exception("sharing rates met a fault of Berth's own")
        await asyncio.sleep(TELLING_SECONDS)


async def _tell(busy: dict[str, Bucket], database: Database) -> None:
    seconds = [bucket.tell() for bucket in busy.values()]
    for row in await database.ask(_TELL, buckets=list(busy), seconds=seconds):
        busy[row["bucket"]].hear(row["ahead"])
