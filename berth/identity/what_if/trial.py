"""A database in which a change can be tried, by the operations that make it for good: nothing of it stays."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.database.questions import Question

# PostgreSQL: what this sees was changed meanwhile, so that the change cannot be made on top of it (SQLSTATE 40001).
_OVERTAKEN = "40001"


class Trial(Database):
    """All that is asked and done is part of one transaction."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        """`driver` is asyncpg's connection beneath."""
        self._connection = connection
        self._driver = driver

    async def ask(self, question: Question, **given: object) -> list[Any]:
        rows: list[Any] = await self._driver.fetch(question.text, *question.arguments(given))
        return rows

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        yield self._connection

    autocommit = reading = transaction


@contextlib.asynccontextmanager
async def trying(database: Database) -> AsyncIterator[Trial]:
    """Raises DatabaseUnavailable."""
    async with database.undone() as connection:
        # It is this that begins the transaction, of which all that asyncpg is told is a part, too.
        await connection.execute(select(literal(1)))
        raw = await connection.get_raw_connection()
        yield Trial(connection, raw.driver_connection)


def is_overtaken(error: DBAPIError) -> bool:
    """Whether to try again is all that it takes."""
    return getattr(error.orig, "sqlstate", None) == _OVERTAKEN
