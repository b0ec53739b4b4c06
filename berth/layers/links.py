"""Layers come to be held by repositories, and no longer are. The bytes of one that is held stay, whoever collects.

Always in this order, so that no two transactions wait for each other: repository, bytes (the row of `layers`), link.
"""

import asyncio
import contextlib
import functools
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Interval,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    literal_column,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from berth import changes, repositories
from berth.database.db import Asking, Database
from berth.database.questions import Question
from berth.errors import RepositoryNotFound
from berth.layers.expected import KEY, expecting
from berth.layers.held import IS_ARCHIVED
from berth.names import Digest, Registry
from berth.registries import account_settings
from berth.repositories import NAMED, Repository, naming
from berth.schema import image_references, layers, repository_layers, uploads
from berth.store.contract import Blob, StoreUnavailable

# While a collection removes the same bytes: mostly it is done within milliseconds.
MARKED_SECONDS = 2.0
MARKED_PAUSE_SECONDS = 0.05

_named = select(repositories.COLUMNS[0]).where(NAMED)
_held = _named.cte("held")
_held_fast = _named.with_for_update(read=True, key_share=True).cte("held")

# Every layer whose bytes get their name has its row first, so that the bytes are found where nobody comes to hold it.
_INTEND = Question(
    select(_held.c.id).add_cte(expecting(select(*KEY).select_from(_held)).on_conflict_do_nothing().cte("intent"))
)
# From here to the end of the transaction, collection keeps away from the bytes, and the repository stays.
_hold = insert(layers).from_select(
    ["account", "region", "digest", "size", "unused_since"],
    select(*KEY, bindparam("size", type_=BigInteger), func.now()).select_from(_held_fast),
)
# What a collection has marked may yet be removed, until no request to do so can be on its way any more. A mark that is
# ahead of the clock by as much was made before the clock was set back, nobody knows when: it would stand for years.
_settled_after = bindparam("settled_after", type_=Interval)
IS_MARKED = layers.c.removing_since.between(func.now() - _settled_after, func.now() + _settled_after)
_held_bytes = (
    _hold.on_conflict_do_update(
        index_elements=["account", "region", "digest"],
        set_={
            "size": case((IS_MARKED, layers.c.size), else_=_hold.excluded.size),
            # The collection sees that it was met, and leaves the row.
            "unused_since": case((IS_MARKED, func.clock_timestamp())),
            "removing_since": case((IS_MARKED, layers.c.removing_since)),
        },
    )
    .returning(
        # A row that this statement has made is locked by nobody yet; one that was there, by this statement.
        (literal_column("layers.xmax::text") != "0").label("was_noted"),
        layers.c.removing_since.is_not(None).label("is_marked"),
    )
    .cte("bytes")
)
_HOLD = Question(
    select(_held_fast.c.id, _held_bytes.c.was_noted, _held_bytes.c.is_marked).select_from(
        _held_fast.join(_held_bytes, true())
    )
)


# The same as IS_ARCHIVED, of the row that an INSERT meets: SQLAlchemy relates no SELECT to that one by itself.
_was_archived = (
    select(image_references.c.archived_at)
    .where(
        image_references.c.repository_id == literal_column("repository_layers.repository_id"),
        image_references.c.referenced == literal_column("repository_layers.digest"),
    )
    .order_by(image_references.c.archived_at.desc())
    .limit(1)
    .scalar_subquery()
) > repository_layers.c.linked_at


def _linking(source: Select[*tuple[Any, ...]]) -> ReturningInsert[Any]:
    """Links what `source` selects (repository, digest, size); it returns whether the layer was not there before."""
    statement = insert(repository_layers).from_select(["repository_id", "digest", "size"], source)
    return statement.on_conflict_do_update(
        index_elements=["repository_id", "digest"],
        set_={
            "unused_since": func.now(),
            # One that is archived is there again.
            "linked_at": case((_was_archived, func.now()), else_=repository_layers.c.linked_at),
        },
    ).returning((repository_layers.c.linked_at == func.now()).label("is_new"))


_LINK = Question(
    _linking(
        select(
            bindparam("repository_id", type_=BigInteger),
            bindparam("digest", type_=Text),
            bindparam("size", type_=BigInteger),
        )
    ).add_cte(delete(uploads).where(uploads.c.id == bindparam("upload")).cte("upload"))
)


async def intend(database: Database, registry: Registry, name: str, digest: Digest) -> None:
    """Note that the store may soon have the bytes of a layer that nobody needs. Raises RepositoryNotFound."""
    if not await database.ask(_INTEND, **naming(registry, name), digest=digest):
        raise RepositoryNotFound(registry, name)


@contextlib.asynccontextmanager
async def linking(
    database: Database, blob: Blob, name: str, size: int, upload: uuid.UUID, *, settled_after: timedelta
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Within, the bytes of `blob` get their name; then call what this yields: the repository holds the layer.

    It returns False where the repository held the layer already (one that is archived is there again), and ends
    `upload`. Raises RepositoryNotFound where the repository is gone by now; StoreUnavailable where a collection is
    removing the same bytes, or broke off less than `settled_after` ago (Store). The store's bytes and their row are
    removed by nobody meanwhile.
    """
    began = time.monotonic()
    given = {**naming(blob.registry, name), "digest": blob.digest, "size": size, "settled_after": settled_after}
    while True:
        async with database.asking() as ask:
            held = await ask(_HOLD, **given)
            if not held:
                raise RepositoryNotFound(blob.registry, name)
            is_marked = held[0]["is_marked"]
            if held[0]["was_noted"] and not is_marked:
                layer = {"repository_id": held[0]["id"], "digest": blob.digest, "size": size}
                yield functools.partial(_link, ask, **layer, upload=upload)
                return
        # Collection was faster than these bytes, and removed the note of `intend`: now there is one again. Or it is
        # just removing the bytes.
        if is_marked:
            if time.monotonic() - began > MARKED_SECONDS:
                raise StoreUnavailable("bytes of this digest are just being removed")
            await asyncio.sleep(MARKED_PAUSE_SECONDS)


async def _link(ask: Asking, **given: object) -> bool:
    return bool((await ask(_LINK, **given))[0]["is_new"])


_source = repository_layers.alias("source")
_MOUNT = Question(
    _linking(
        select(bindparam("target", type_=BigInteger), _source.c.digest, _source.c.size).where(
            _source.c.repository_id == bindparam("source"), _source.c.digest == bindparam("digest")
        )
    )
)
_MOUNTABLE = Question(
    select(repository_layers.c.digest)
    .where(repository_layers.c.repository_id == bindparam("source"), repository_layers.c.digest == bindparam("digest"))
    .where(IS_ARCHIVED.is_not(true()), not_(account_settings.FORBIDS_MOUNTING))
    .with_for_update(read=True, of=repository_layers)
)


async def mount(database: Database, source: Repository, target: Repository, digest: Digest) -> bool:
    """Let `target` hold what `source` holds, without copying a byte; False where `source` does not hold it.

    False, too, where the registry's settings forbid mounting. Both are of one registry: each registry keeps its own
    bytes. OCI Distribution 1.1, "Mounting a blob". Raises RepositoryNotFound.
    """
    if source.registry != target.registry:
        return False
    registry = target.registry
    async with database.asking() as ask:
        if not await ask(repositories.HELD, **naming(registry, target.name)):
            raise RepositoryNotFound(registry, target.name)
        given = {"source": source.id, "digest": digest}
        if not await ask(_MOUNTABLE, **given, account=registry.account, region=registry.region):
            return False
        await ask(_MOUNT, **given, target=target.id)
    return True


async def unlink(database: Database, repository: Repository, digest: Digest) -> bool | None:
    """Let the repository no longer hold the layer: True; None where it did not; False where an image needs it."""
    registry = repository.registry
    mine = and_(repository_layers.c.repository_id == repository.id, repository_layers.c.digest == digest)
    needed = exists().where(image_references.c.repository_id == repository.id, image_references.c.referenced == digest)
    bytes_ = and_(layers.c.account == registry.account, layers.c.region == registry.region, layers.c.digest == digest)
    async with database.transaction() as connection:
        await connection.execute(select(literal(1)).where(bytes_).with_for_update())
        locked = await connection.scalar(select(literal(1)).where(mine).with_for_update())
        if locked is None:
            return None
        if await connection.scalar(select(needed)):
            return False
        await connection.execute(delete(repository_layers).where(mine))
        await connection.execute(update(layers).where(bytes_).values(unused_since=func.now()))
        await changes.tell(connection, repository)
    return True
