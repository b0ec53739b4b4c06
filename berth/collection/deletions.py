"""Deleted images whose time is over: nobody gets them back, and what they named may be unused."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.collection.rows import (
    AGO,
    ARE_SOME_BYTES,
    EPOCH,
    IS_SOME_LINK,
    of_bytes,
    of_links,
    some_bytes,
    some_links,
)
from berth.database.db import Database
from berth.schema import deleted_image_references, deleted_images, layers, repository_layers

AT_ONCE = 100

_deleted = deleted_images.c
_DUE = (
    select(_deleted.id)
    .where(_deleted.deleted_at < AGO)
    .order_by(_deleted.deleted_at, _deleted.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
# Whatever kind: some bytes may be a layer and, to others, an image.
_NAMED = (
    select(
        _deleted.account,
        _deleted.region,
        _deleted.repository_id,
        deleted_image_references.c.referenced,
        func.max(_deleted.pushed_at).label("pushed_at"),
    )
    .join_from(deleted_image_references, deleted_images, deleted_image_references.c.deleted_image_id == _deleted.id)
    .where(_deleted.id == any_(_IDS), deleted_image_references.c.deleted_image_id == any_(_IDS))
    .group_by(_deleted.account, _deleted.region, _deleted.repository_id, deleted_image_references.c.referenced)
    .order_by(_deleted.account, _deleted.region, deleted_image_references.c.referenced, _deleted.repository_id)
)
_LOCK_BYTES = (
    select(layers.c.digest)
    .join_from(layers, some_bytes, ARE_SOME_BYTES)
    .order_by(layers.c.account, layers.c.region, layers.c.digest)
    .with_for_update(of=layers)
)
_LOCK_LINKS = (
    select(repository_layers.c.digest)
    .join_from(repository_layers, some_links, IS_SOME_LINK)
    .order_by(repository_layers.c.repository_id, repository_layers.c.digest)
    .with_for_update(of=repository_layers)
)
_link = repository_layers.c
# At once, but for a layer that somebody asked for after the image was pushed: that is perhaps to be in another one.
_LET_GO = (
    update(repository_layers)
    .where(IS_SOME_LINK)
    .values(
        unused_since=case(
            (or_(_link.unused_since.is_(None), _link.unused_since <= some_links.c.moment), EPOCH),
            else_=_link.unused_since,
        )
    )
)
_MAY_BE_UNUSED = (
    update(layers).where(ARE_SOME_BYTES).values(unused_since=func.coalesce(layers.c.unused_since, func.now()))
)
_FORGET = delete(deleted_images).where(_deleted.id == any_(_IDS))


async def forget_some(database: Database, deleted_for: timedelta) -> int:
    """Forget some of the images that were deleted so long ago, and return how many; 0 where there are no more."""
    async with database.transaction() as connection:
        ids = (await connection.scalars(_DUE, {"age": deleted_for})).all()
        if ids:
            await _let_go(connection, ids)
            await connection.execute(_FORGET, {"ids": ids})
    return len(ids)


async def _let_go(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Note that what the images named may be unused, in the order in which everybody locks: bytes, then links.

    The bytes too, for the repository may be gone, and the links with it.
    """
    named = (await connection.execute(_NAMED, {"ids": ids})).all()
    bytes_ = of_bytes(sorted({(row.account, row.region, row.referenced) for row in named}))
    links = of_links([(row.repository_id, row.referenced) for row in named], [row.pushed_at for row in named])
    await connection.execute(_LOCK_BYTES, bytes_)
    await connection.execute(_LOCK_LINKS, links)
    await connection.execute(_MAY_BE_UNUSED, bytes_)
    await connection.execute(_LET_GO, links)
