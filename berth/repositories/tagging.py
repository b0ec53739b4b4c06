"""The tags that a repository carries: put on, taken off, listed."""

from collections.abc import Collection, Mapping

from sqlalchemy import Text, cast, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from berth import changes
from berth.database.db import Database
from berth.errors import RepositoryNotFound
from berth.names import Registry
from berth.repositories import named, resource_tags
from berth.schema import repositories


async def get(database: Database, registry: Registry, name: str) -> dict[str, str]:
    """Key to value. Raises RepositoryNotFound."""
    async with database.reading() as connection:
        row = (await connection.execute(select(repositories.c.tags).where(named(registry, name)))).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return dict(row.tags)


async def add(database: Database, registry: Registry, name: str, tags: Mapping[str, str]) -> None:
    """Put the tags on the repository; a key that it has takes the new value. Raises RepositoryNotFound, TooManyTags."""
    async with database.transaction() as connection:
        locked = select(repositories.c.id, repositories.c.tags).where(named(registry, name)).with_for_update()
        row = (await connection.execute(locked)).one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        merged = resource_tags.merge(row.tags, tags)
        await connection.execute(update(repositories).where(repositories.c.id == row.id).values(tags=merged))
        await changes.tell_of(connection, changes.of_access(row.id))


async def remove(database: Database, registry: Registry, name: str, keys: Collection[str]) -> None:
    """Take the tags of these keys off the repository, those that it has. Raises RepositoryNotFound."""
    kept = repositories.c.tags.op("-")(cast(list(keys), ARRAY(Text)))
    statement = update(repositories).where(named(registry, name)).values(tags=kept).returning(repositories.c.id)
    async with database.transaction() as connection:
        changed = await connection.scalar(statement)
        if changed is None:
            raise RepositoryNotFound(registry, name)
        await changes.tell_of(connection, changes.of_access(changed))
