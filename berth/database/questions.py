"""Questions: statements over the tables that are asked at nearly every request.

SQLAlchemy says what is asked, once, when the module of the question is imported; asyncpg asks it. Building a statement,
looking its compiled form up and SQLAlchemy's own way of a result took 400 µs of CPU for one row; this takes 20.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import orjson
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.sql.compiler import SQLCompiler

WAIT_SECONDS = 10
_DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]
_OPTIONS = {
    # Alone, a statement that changes something need not outlive a crash of PostgreSQL a moment later: it only takes
    # notes.
    "synchronous_commit": "off",
    # Each looks something up by a key, and is planned once: where tables are large, PostgreSQL would rather plan a page
    # of a list anew each time, which takes twice as long as to read it.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
_BEGIN = "BEGIN; SET LOCAL synchronous_commit = on"

Ask = Callable[[str, list[object]], Awaitable[list[asyncpg.Record]]]


class Question:
    """One statement; what differs each time is a `bindparam` in it, and is given by its name."""

    __slots__ = ("_constants", "_order", "text")

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._constants = {name: bound.value for bound, name in compiled.bind_names.items() if not bound.required}

    def arguments(self, given: dict[str, object]) -> list[object]:
        """What stands for $1, $2, … of `text`. Raises TypeError where `given` is not what the question asks for."""
        if len(given) + len(self._constants) != len(self._order) or not given.keys() <= {*self._order}:
            raise TypeError(f"given {sorted(given)} for {self.text}")
        values = self._constants | given
        return [values[name] for name in self._order]


class Askers:
    """Connections that ask questions, one at a time each; made when they are needed, and kept."""

    def __init__(self, url: str, most: int, **options: Any) -> None:
        self._url = url
        self._options = options
        self._room = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection] = []

    async def ask(self, text: str, arguments: list[object]) -> list[asyncpg.Record]:
        """Raises TimeoutError where no connection becomes free, and what asyncpg and the socket raise."""
        async with self._connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(text, *arguments)
            return rows

    @contextlib.asynccontextmanager
    async def together(self) -> AsyncIterator[Ask]:
        """Asks on one connection, whose changes are made together or not at all, and outlive any crash."""
        failed: Exception | None = None
        async with self._connection() as connection:
            await connection.execute(_BEGIN)
            try:
                yield lambda text, arguments: connection.fetch(text, *arguments)
            except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError):
                # Of the connection itself (a timeout is an OSError): it is ended.
                raise
            except Exception as error:
                await connection.execute("ROLLBACK")
                failed = error
            else:
                await connection.execute("COMMIT")
        if failed is not None:
            raise failed

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        await self._wait_for_room()
        connection = None
        try:
            while self._idle and connection is None:
                connection = self._idle.pop()
                # A restart of PostgreSQL leaves dead connections behind.
                connection = None if connection.is_closed() else connection
            connection = connection or await self._connect()
            yield connection
        except BaseException as error:
            # After a timeout or a cancellation the answer may still come: nobody else shall get it.
            if connection is not None and not isinstance(error, asyncpg.PostgresError):
                connection.terminate()
            raise
        finally:
            if connection is not None and not connection.is_closed():
                self._idle.append(connection)
            self._room.release()

    async def _wait_for_room(self) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        async with asyncio.timeout(WAIT_SECONDS):
            await self._room.acquire()

    async def _connect(self) -> Any:
        options = self._options | {"server_settings": self._options.get("server_settings", {}) | _OPTIONS}
        connection = await asyncpg.connect(self._url, max_cached_statement_lifetime=0, **options)
        try:
            # In its binary form, JSONB is a number of its version and the text.
            await connection.set_type_codec(
                "jsonb",
                schema="pg_catalog",
                format="binary",
                encoder=_refuse,
                decoder=lambda value: orjson.loads(value[1:]),
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def close(self) -> None:
        """End the connections that are idle; one that is asking ends its own."""
        while self._idle:
            await self._idle.pop().close(timeout=WAIT_SECONDS)


def _refuse(value: object) -> bytes:
    raise TypeError(f"a question takes no JSON, and is given {value!r}")
