"""The policy of a registry, kept as the text that was put."""

from sqlalchemy import select, update

from berth import changes
from berth.database.db import Database
from berth.errors import RegistryPolicyNotFound
from berth.names import Registry
from berth.registries.rows import put, row_of
from berth.schema import registries


async def set_policy(database: Database, registry: Registry, text: str) -> None:
    await put(database, registry, {"policy": text})


async def get_policy(database: Database, registry: Registry) -> str:
    """Raises RegistryPolicyNotFound."""
    async with database.reading() as connection:
        text = await connection.scalar(select(registries.c.policy).where(row_of(registry)))
    if text is None:
        raise RegistryPolicyNotFound(registry)
    return str(text)


async def remove_policy(database: Database, registry: Registry) -> str:
    """Remove the policy and return it. Raises RegistryPolicyNotFound."""
    async with database.transaction() as connection:
        text = await connection.scalar(select(registries.c.policy).where(row_of(registry)).with_for_update())
        if text is None:
            raise RegistryPolicyNotFound(registry)
        await connection.execute(update(registries).where(row_of(registry)).values(policy=None))
        await changes.tell_of(connection, changes.of_registry(registry))
    return str(text)
