"""Bytes that no repository holds and no deleted image names: they leave the store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, bindparam, func, not_, or_, select, tuple_, update

from berth.collection import removing
from berth.collection.needs import are_needed
from berth.collection.removing import Marked
from berth.collection.rows import ARE_SOME_BYTES, EPOCH, BytesKey, of_bytes, some_bytes
from berth.database.db import Database
from berth.schema import layers
from berth.store.contract import Store

# Few: a push of one of these waits until the store has removed them all.
AT_ONCE = 32

_ORDER = (layers.c.unused_since, layers.c.account, layers.c.region, layers.c.digest)
# By the clock, not by the moment at which this transaction began: so who locks what another collection has marked takes
# it, rather than to have that one leave it because of the lock (removing.remove), and leave it too.
_age = bindparam("age", type_=Interval)
_IS_LEFT = not_(layers.c.removing_since.between(func.clock_timestamp() - _age, func.clock_timestamp() + _age))
# Locked, so that nobody gives them their name or links to them until they are marked (layers.linking). Who links to
# what is linked already (layers.mount) holds on to that link meanwhile, so that the next question finds it.
_UNUSED = (
    select(*_ORDER)
    .where(layers.c.unused_since < bindparam("before"))
    .where(or_(layers.c.removing_since.is_(None), _IS_LEFT))
    .where(
        tuple_(*_ORDER) > tuple_(bindparam("moment"), bindparam("account"), bindparam("region"), bindparam("digest"))
    )
    .order_by(*_ORDER)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_NEEDED = select(some_bytes.c.account, some_bytes.c.region, some_bytes.c.digest).where(are_needed(some_bytes))
_FORGET_MOMENT = update(layers).where(ARE_SOME_BYTES).values(unused_since=None)
# Of one moment, no two collections can mark the same row: the later one has waited for the earlier one's commit.
_MARK = (
    update(layers)
    .where(ARE_SOME_BYTES)
    .values(removing_since=func.clock_timestamp())
    .returning(layers.c.account, layers.c.region, layers.c.digest, layers.c.size, layers.c.removing_since)
)

Place = tuple[datetime, str, str, str]
START: Place = (EPOCH, "", "", "")


@dataclass(frozen=True, slots=True)
class Batch:
    """How many blobs went and how many bytes they had, and where to go on; None at the end."""

    removed: int
    bytes: int
    last: Place | None


async def now(database: Database) -> datetime:
    """The moment up to which a collection looks at what is marked, so that it and who pushes meanwhile both get on."""
    async with database.reading() as connection:
        return (await connection.scalars(select(func.now()))).one()


async def remove_some(database: Database, store: Store, before: datetime, after: Place = START) -> Batch:
    """Look at the next bytes that may be unused since `before`. Those that somebody is just linking to are left."""
    marked, last = await _mark(database, store.settles_after, before, after)
    sizes = await removing.remove(database, store, marked) if marked else []
    return Batch(len(sizes), sum(sizes), last)


async def _mark(
    database: Database, settles_after: timedelta, before: datetime, after: Place
) -> tuple[list[Marked], Place | None]:
    """From the commit on nobody comes to hold what is marked; so no lock is held while the store removes it.

    Neither a mount nor a restore can meet a mark: the link or the deleted image that it goes out from would have been
    seen here, and it holds on to that until its own link is there.
    """
    moment, account, region, digest = after
    place = {"before": before, "moment": moment, "account": account, "region": region, "digest": digest}
    async with database.transaction() as connection:
        # A mark that others left is taken when a push has had time to: where a bucket never answers, both get on.
        rows = (await connection.execute(_UNUSED, {**place, "age": 2 * settles_after})).all()
        if not rows:
            return [], None
        found = sorted(_key(row) for row in rows)
        # Only now that they are locked: a statement sees what was committed before it began.
        needed = {_key(row) for row in await connection.execute(_NEEDED, of_bytes(found))}
        await connection.execute(_FORGET_MOMENT, of_bytes(sorted(needed)))
        unused = await connection.execute(_MARK, of_bytes([key for key in found if key not in needed]))
        marked = [Marked(_key(row), row.size, row.removing_since) for row in unused]
    return marked, (rows[-1].unused_since, *_key(rows[-1]))


def _key(row: Any) -> BytesKey:
    return (row.account, row.region, row.digest)
