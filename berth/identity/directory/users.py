"""Users: people and programs with access keys of their own (IAM user guide, "IAM users")."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.identity.directory import identities
from berth.identity.directory.identities import Identity
from berth.schema import access_keys


async def create(
    database: Database, account: str, path: str, name: str, tags: Mapping[str, str], boundary: str | None = None
) -> Identity:
    """Raises EntityAlreadyExists, QuotaExceeded, ValidationError; of the boundary InvalidInput, NoSuchEntity."""
    return await identities.create(database, account, "user", path, name, tags=tags, boundary=boundary)


async def update(database: Database, account: str, name: str, new_path: str | None, new_name: str | None) -> Identity:
    """Move the user, rename it or both: what it may do and its keys go with it.

    Raises NoSuchEntity, EntityAlreadyExists, ValidationError.
    """
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", name)
        await _tell_of_keys(connection, user)
        return await identities.rename(connection, user, new_path, new_name)


async def delete(database: Database, account: str, name: str) -> None:
    """Raises NoSuchEntity, DeleteConflict."""
    async with database.transaction() as connection:
        await identities.remove(connection, await identities.locked(connection, account, "user", name))


async def _tell_of_keys(connection: AsyncConnection, user: Identity) -> None:
    """Whom its keys prove is remembered by the key."""
    keys = await connection.scalars(select(access_keys.c.id).where(access_keys.c.user_id == user.id))
    await changes.tell_of(connection, *map(changes.of_key, keys))
