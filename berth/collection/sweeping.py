"""Bytes that no row tells of: PostgreSQL crashed within a moment of a push, or came back from an older copy."""

from collections.abc import AsyncIterator

from sqlalchemy import func, select

from berth.collection.rows import ARE_SOME_BYTES, BytesKey, of_bytes, some_bytes
from berth.database.db import Database
from berth.layers.expected import expecting
from berth.schema import layers
from berth.store.contract import Store

AT_ONCE = 1000

_keys = (some_bytes.c.account, some_bytes.c.region, some_bytes.c.digest)
_NOTE = expecting(select(*_keys).order_by(*_keys)).on_conflict_do_nothing().returning(layers.c.digest)
_KNOWN = select(func.count()).select_from(layers.join(some_bytes, ARE_SOME_BYTES))


class StoreOfAnother(Exception):
    """The database tells of fewer than half of the blobs in the store: most likely it is not the store's own."""


async def check_is_ours(database: Database, store: Store) -> None:
    """Raise StoreOfAnother rather than take a whole store for garbage: of another Berth, or of a database that is lost.

    Then whoever runs Berth decides.
    """
    known = total = 0
    async for some in _listed(store):
        total += len(some)
        async with database.reading() as connection:
            known += await connection.scalar(_KNOWN, of_bytes(some)) or 0
    if 2 * known < total:
        raise StoreOfAnother(f"the database tells of {known} of the {total} blobs in the store")


async def sweep(database: Database, store: Store) -> int:
    """Look through the whole store, and have collection look at what no row tells of; return how many blobs that are.

    Collection itself looks at what changed alone, and never sees these.
    """
    return sum([await _note(database, some) async for some in _listed(store)])


async def _listed(store: Store) -> AsyncIterator[list[BytesKey]]:
    """All that the store has, some at a time, each in order and once."""
    some: set[BytesKey] = set()
    async for blob in store.blobs():
        some.add((blob.registry.account, blob.registry.region, blob.digest))
        if len(some) == AT_ONCE:
            yield sorted(some)
            some.clear()
    if some:
        yield sorted(some)


async def _note(database: Database, some: list[BytesKey]) -> int:
    """A row is there before the bytes have their name: what has none now never gets one by itself."""
    async with database.transaction() as connection:
        return len((await connection.scalars(_NOTE, of_bytes(some))).all())
