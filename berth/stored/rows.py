"""The blobs that the tables name."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Select,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    tuple_,
)

from berth.collection.needs import are_needed
from berth.collection.rows import ARE_SOME_BYTES, of_bytes, some_bytes
from berth.database.db import Database
from berth.database.questions import Question
from berth.layers.expected import KEY, expecting
from berth.layers.links import IS_MARKED
from berth.names import Digest, Registry
from berth.repositories import Repository
from berth.schema import layers, repository_layers
from berth.store.contract import Blob, BlobLost

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Row:
    blob: Blob
    # In bytes; 0 where the bytes are only expected.
    size: int
    # Whether a repository holds it, or an image that can be restored needs it.
    is_needed: bool
    # Another whenever the row changes; and whoever comes to hold the blob, or no longer does, changes it.
    version: str


@dataclass(frozen=True, slots=True)
class Extent:
    blobs: int
    bytes: int


_KEY = (layers.c.account, layers.c.region, layers.c.digest)
_ROW = select(
    *_KEY,
    layers.c.size,
    are_needed(layers).label("is_needed"),
    # PostgreSQL documentation, "System Columns".
    literal_column("layers.xmin::text").label("version"),
)
_NEXT = _ROW.where(tuple_(*_KEY) > tuple_(*map(bindparam, ("account", "region", "digest")))).order_by(*_KEY)
_ONE = _ROW.where(tuple_(*_KEY) == tuple_(*map(bindparam, ("account", "region", "digest"))))
_NAMED = select(*_KEY).join_from(layers, some_bytes, ARE_SOME_BYTES)
_EXTENT = select(func.count(), func.coalesce(func.sum(layers.c.size), 0)).select_from(layers)
# Where a collection was faster, the bytes get a row anew, by which the next one finds them.
_HOLD = Question(
    expecting(select(*KEY))
    .on_conflict_do_update(
        index_elements=["account", "region", "digest"],
        set_={
            # The collection sees that it was met, and leaves the row: a bucket has the bytes under their name by now.
            "unused_since": case((IS_MARKED, func.clock_timestamp()), else_=layers.c.unused_since),
            "removing_since": case((IS_MARKED, layers.c.removing_since)),
        },
    )
    .returning(layers.c.removing_since.is_not(None).label("is_marked"))
)


def _held_by(statement: Select[Any], repository: Repository | None) -> Select[Any]:
    if repository is None:
        return statement
    registry = repository.registry
    held = exists().where(
        repository_layers.c.repository_id == repository.id, repository_layers.c.digest == layers.c.digest
    )
    return statement.where(layers.c.account == registry.account, layers.c.region == registry.region, held)


async def extent(database: Database, repository: Repository | None = None) -> Extent:
    """How much the tables name: in all, or of what a repository holds."""
    async with database.reading() as connection:
        blobs, size = (await connection.execute(_held_by(_EXTENT, repository))).one()
    return Extent(blobs, int(size))


async def every(database: Database, repository: Repository | None = None) -> AsyncIterator[Row]:
    """Each row that there is while this goes on, in the order of its key."""
    statement = _held_by(_NEXT, repository).limit(AT_ONCE)
    last = ("", "", "")
    while True:
        given = dict(zip(("account", "region", "digest"), last, strict=True))
        async with database.reading() as connection:
            rows = (await connection.execute(statement, given)).all()
        for row in rows:
            yield _row(row)
        if len(rows) < AT_ONCE:
            return
        last = rows[-1][:3]


async def one(database: Database, blob: Blob) -> Row | None:
    async with database.reading() as connection:
        row = (await connection.execute(_ONE, _key(blob))).one_or_none()
    return None if row is None else _row(row)


async def unnamed(database: Database, blobs: Sequence[Blob]) -> list[Blob]:
    """Those of `blobs` that have no row."""
    keys = [(blob.registry.account, blob.registry.region, blob.digest) for blob in blobs]
    async with database.reading() as connection:
        named = {tuple(row) for row in await connection.execute(_NAMED, of_bytes(keys))}
    return [blob for blob, key in zip(blobs, keys, strict=True) if key not in named]


@contextlib.asynccontextmanager
async def holding(database: Database, blob: Blob, settled_after: timedelta) -> AsyncIterator[None]:
    """Within, nobody removes the bytes of `blob`; whatever becomes of them, there is a row that tells of them.

    Raises BlobLost where a collection is just removing them, or broke off less than `settled_after` ago: nobody needs
    them.
    """
    async with database.asking() as ask:
        held = await ask(_HOLD, **_key(blob), settled_after=settled_after)
        if not held[0]["is_marked"]:
            yield
            return
    raise BlobLost(blob.digest)


def _key(blob: Blob) -> dict[str, str]:
    return {"account": blob.registry.account, "region": blob.registry.region, "digest": blob.digest}


def _row(row: Any) -> Row:
    return Row(Blob(Registry(row.account, row.region), Digest(row.digest)), row.size, row.is_needed, row.version)
