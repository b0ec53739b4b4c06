"""Layers that no image of their repository needs, and that nobody asked for in a while: it no longer holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.collection.rows import (
    AGO,
    ARE_SOME_BYTES,
    EPOCH,
    IS_SOME_LINK,
    BytesKey,
    LinkKey,
    of_bytes,
    of_links,
    some_bytes,
    some_links,
)
from berth.database.db import Database
from berth.schema import image_references, layers, repositories, repository_layers

AT_ONCE = 500

_link = repository_layers.c
_ORDER = (_link.unused_since, _link.repository_id, _link.digest)
# Locked, so that no image comes to need them from here on: who puts an image locks them too (images.put).
_OLD = (
    select(*_ORDER, repositories.c.account, repositories.c.region)
    .join(repositories, repositories.c.id == _link.repository_id)
    .where(_link.unused_since < AGO)
    .where(tuple_(*_ORDER) > tuple_(bindparam("moment"), bindparam("repository_id"), bindparam("digest")))
    .order_by(*_ORDER)
    .limit(AT_ONCE)
    .with_for_update(of=repository_layers, skip_locked=True)
)
_NEEDED = select(some_links.c.repository_id, some_links.c.digest).where(
    exists().where(
        image_references.c.repository_id == some_links.c.repository_id,
        image_references.c.referenced == some_links.c.digest,
    )
)
_FORGET_MOMENT = update(repository_layers).where(IS_SOME_LINK).values(unused_since=None)
_BYTES = (
    select(layers.c.account, layers.c.region, layers.c.digest)
    .join_from(layers, some_bytes, ARE_SOME_BYTES)
    .order_by(layers.c.account, layers.c.region, layers.c.digest)
    .with_for_update(of=layers, skip_locked=True)
)
_UNLINK = delete(repository_layers).where(IS_SOME_LINK)
_MAY_BE_UNUSED = update(layers).where(ARE_SOME_BYTES).values(unused_since=func.now())

Place = tuple[datetime, int, str]
START: Place = (EPOCH, 0, "")


@dataclass(frozen=True, slots=True)
class Batch:
    """How many layers went, and where to go on; None at the end."""

    unlinked: int
    last: Place | None


async def unlink_some(database: Database, unused_for: timedelta, after: Place = START) -> Batch:
    """Look at the next links that may be unused for so long. Those that somebody holds at the moment are left."""
    moment, repository_id, digest = after
    place = {"moment": moment, "repository_id": repository_id, "digest": digest}
    async with database.transaction() as connection:
        old = (await connection.execute(_OLD, {"age": unused_for, **place})).all()
        if not old:
            return Batch(0, None)
        # Only now that they are locked: a statement sees what was committed before it began.
        found = {(row.repository_id, row.digest): (row.account, row.region, row.digest) for row in old}
        needed = {(id_, of) for id_, of in await connection.execute(_NEEDED, of_links(list(found)))}
        await connection.execute(_FORGET_MOMENT, of_links(list(needed)))
        unlinked = await _unlink(connection, {key: bytes_ for key, bytes_ in found.items() if key not in needed})
    return Batch(unlinked, (old[-1].unused_since, old[-1].repository_id, old[-1].digest))


async def _unlink(connection: AsyncConnection, unused: dict[LinkKey, BytesKey]) -> int:
    """Remove the links whose bytes nobody is just linking to, and note that these may be unused."""
    locked = {
        (account, region, digest)
        for account, region, digest in await connection.execute(_BYTES, of_bytes(sorted({*unused.values()})))
    }
    gone = [key for key, bytes_ in unused.items() if bytes_ in locked]
    if gone:
        await connection.execute(_UNLINK, of_links(gone))
        await connection.execute(_MAY_BE_UNUSED, of_bytes(sorted({unused[key] for key in gone})))
        await changes.tell_of(connection, *_subjects(gone))
    return len(gone)


def _subjects(links: Sequence[LinkKey]) -> list[changes.Subject]:
    return [changes.of_repository(repository_id) for repository_id in sorted({key[0] for key in links})]
