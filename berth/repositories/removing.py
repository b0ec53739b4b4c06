"""A repository goes, and its images stay recoverable for a while."""

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.errors import RepositoryNotEmpty, RepositoryNotFound
from berth.names import Registry
from berth.recovery import deleted_images
from berth.repositories.repository import COLUMNS, Repository, from_row, named
from berth.schema import image_references, images, layers, repositories, repository_layers


async def remove(database: Database, registry: Registry, name: str, *, force: bool) -> Repository:
    """Delete the repository and what it holds. Raises RepositoryNotFound, and RepositoryNotEmpty without `force`."""
    async with database.transaction() as connection:
        locked = await connection.execute(select(*COLUMNS).where(named(registry, name)).with_for_update())
        row = locked.mappings().one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        if not force and await _holds_images(connection, row["id"]):
            raise RepositoryNotEmpty(registry, name)
        await deleted_images.keep(connection, row["id"])
        await _let_go_of_layers(connection, registry, row["id"])
        await connection.execute(delete(repositories).where(repositories.c.id == row["id"]))
        await changes.tell_of(connection, changes.of_repository(row["id"]), changes.of_access(row["id"]))
    return from_row(registry, row)


async def _let_go_of_layers(connection: AsyncConnection, registry: Registry, repository_id: int) -> None:
    """Note that those layers of the repository that none of its images needs may be held by nobody when it is gone.

    The others are its deleted images' then.
    """
    needed = exists().where(
        image_references.c.repository_id == repository_layers.c.repository_id,
        image_references.c.referenced == repository_layers.c.digest,
    )
    held = select(repository_layers.c.digest).where(repository_layers.c.repository_id == repository_id, ~needed)
    theirs = and_(layers.c.account == registry.account, layers.c.region == registry.region, layers.c.digest.in_(held))
    locked = select(layers.c.digest).where(theirs).order_by(layers.c.digest).with_for_update().cte("locked")
    mine = and_(
        layers.c.account == registry.account,
        layers.c.region == registry.region,
        layers.c.digest.in_(select(locked.c.digest)),
    )
    await connection.execute(update(layers).where(mine).values(unused_since=func.now()))


async def _holds_images(connection: AsyncConnection, repository_id: int) -> bool:
    return bool(await connection.scalar(select(exists().where(images.c.repository_id == repository_id))))
