"""What belongs to a registry as a whole, a row each.

A registry is there from the start; the row comes with the first document that is put.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.names import Registry
from berth.schema import registries

KEY = ("account", "region")
# What decisions about who may do what depend on.
ASKED = {"policy", "settings"}


def row_of(registry: Registry) -> ColumnElement[bool]:
    """The condition that a row is that of `registry`."""
    return (registries.c.account == registry.account) & (registries.c.region == registry.region)


async def hold(connection: AsyncConnection, registry: Registry) -> None:
    """Let nobody else hold the registry until the transaction ends."""
    mine = insert(registries).values(account=registry.account, region=registry.region)
    touched = mine.on_conflict_do_update(index_elements=KEY, set_={"account": mine.excluded.account})
    await connection.execute(touched)


async def put(database: Database, registry: Registry, values: dict[str, Any], **otherwise: Any) -> None:
    """Put the values into the columns of the registry's row; `otherwise`: what to do instead where there is a row."""
    mine = insert(registries).values(account=registry.account, region=registry.region, **values)
    async with database.transaction() as connection:
        await connection.execute(mine.on_conflict_do_update(index_elements=KEY, set_={**values, **otherwise}))
        if values.keys() & ASKED:
            await changes.tell_of(connection, changes.of_registry(registry))
