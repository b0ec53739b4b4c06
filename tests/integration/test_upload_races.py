"""An upload begins in a repository that somebody deletes at the same moment."""

import asyncio

import pytest
from sqlalchemy import delete

from berth import repositories, uploads
from berth.database.db import Database
from berth.errors import RepositoryNotFound
from berth.names import Registry, RepositoryName
from berth.repositories.mutability import Mutability
from berth.schema import repositories as table


async def test_it_is_not_found_rather_than_a_fault(database: Database, registry: Registry) -> None:
    made = await repositories.create(database, registry, RepositoryName("app"), mutability=Mutability.of("MUTABLE"))
    async with database.transaction() as connection:
        await connection.execute(delete(table).where(table.c.id == made.id))
        beginning = asyncio.create_task(uploads.begin(database, registry, "app", "me"))
        await asyncio.sleep(0.1)
        assert not beginning.done()
    with pytest.raises(RepositoryNotFound):
        await beginning
