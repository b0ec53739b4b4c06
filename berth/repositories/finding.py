"""Repositories found: one, some by their names, all in pages; and one held while it is added to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import RepositoryNotFound
from berth.names import Registry
from berth.repositories.repository import COLUMNS, NAMED, OF_REGISTRY, Repository, from_row, naming
from berth.schema import repositories

_BY_NAME = Question(select(*COLUMNS).where(NAMED))
_HELD = select(*COLUMNS).where(NAMED).with_for_update(read=True, key_share=True)
HELD = Question(_HELD)
_BY_NAMES = Question(
    select(*COLUMNS).where(OF_REGISTRY, repositories.c.name == any_(bindparam("names", type_=ARRAY(Text))))
)
_PAGE = Question(
    select(*COLUMNS)
    .where(OF_REGISTRY, repositories.c.name > bindparam("after"))
    .order_by(repositories.c.name)
    .limit(bindparam("limit"))
)


async def get(database: Database, registry: Registry, name: str) -> Repository:
    """Raises RepositoryNotFound."""
    rows = await database.ask(_BY_NAME, **naming(registry, name))
    if not rows:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, rows[0])


async def ask(
    database: Database, question: Question, registry: Registry, name: str, each: str = "digest", /, **given: object
) -> list[Any]:
    """The rows about what a repository contains; the question is NAMED, and joins what has an `each` if there is any.

    Raises RepositoryNotFound.
    """
    rows = await database.ask(question, **naming(registry, name), **given)
    if not rows:
        raise RepositoryNotFound(registry, name)
    return [row for row in rows if row[each] is not None]


async def hold(connection: AsyncConnection, registry: Registry, name: str) -> Repository:
    """The repository, which stays until the transaction ends: every one that adds to it begins so.

    Raises RepositoryNotFound.
    """
    row = (await connection.execute(_HELD, naming(registry, name))).mappings().one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, row)


async def get_all(database: Database, registry: Registry, names: Sequence[str]) -> list[Repository]:
    """The repositories of these names, in their order. Raises RepositoryNotFound for the first that is missing."""
    rows = await database.ask(_BY_NAMES, account=registry.account, region=registry.region, names=names)
    found = {row["name"]: from_row(registry, row) for row in rows}
    for name in names:
        if name not in found:
            raise RepositoryNotFound(registry, name)
    return [found[name] for name in dict.fromkeys(names)]


async def page(database: Database, registry: Registry, *, after: str, limit: int) -> list[Repository]:
    """At most `limit` repositories whose names come after `after`, in the order of their bytes."""
    rows = await database.ask(_PAGE, account=registry.account, region=registry.region, after=after, limit=limit)
    return [from_row(registry, row) for row in rows]
