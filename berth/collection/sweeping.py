"""Bytes that no row tells of: PostgreSQL crashed within a moment of a push, or came back from an older copy."""

from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from berth.collection.rows import BytesKey, of_bytes, some_bytes
from berth.db import Database
from berth.schema import layers
from berth.store.contract import Store

AT_ONCE = 1000

_NOTE = (
    insert(layers)
    .from_select(
        ["account", "region", "digest", "size", "unused_since"],
        select(
            some_bytes.c.account, some_bytes.c.region, some_bytes.c.digest, literal_column("0"), func.now()
        ).order_by(some_bytes.c.account, some_bytes.c.region, some_bytes.c.digest),
    )
    .on_conflict_do_nothing()
    .returning(layers.c.digest)
)


async def sweep(database: Database, store: Store) -> int:
    """Look through the whole store, and have collection look at what no row tells of; return how many blobs that are.

    Collection itself looks at what changed alone, and never sees these.
    """
    found = 0
    some: list[BytesKey] = []
    async for blob in store.blobs():
        some.append((blob.registry.account, blob.registry.region, blob.digest))
        if len(some) == AT_ONCE:
            found += await _note(database, some)
            some = []
    return found + await _note(database, some)


async def _note(database: Database, some: list[BytesKey]) -> int:
    """A row is there before the bytes have their name: what has none now never gets one by itself."""
    if not some:
        return 0
    async with database.transaction() as connection:
        return len((await connection.scalars(_NOTE, of_bytes(sorted({*some})))).all())
