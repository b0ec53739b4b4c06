"""The database: questions, reads without a transaction, transactions."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol

import asyncpg
import orjson
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from berth.database.questions import WAIT_SECONDS, Askers, Question

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60


class DatabaseUnavailable(Exception):
    """PostgreSQL does not answer, or cut the connection; the same call may go through later."""


_CONNECTING = {
    "timeout": CONNECT_SECONDS,
    "command_timeout": STATEMENT_SECONDS,
    "server_settings": {"application_name": "berth"},
}
_DISCONNECTS = (
    OSError,
    # SQLAlchemy's names for them.
    InterfaceError,
    OperationalError,
    # asyncpg's.
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    # It was used after PostgreSQL had said that it ends it.
    asyncpg.InternalClientError,
)


def is_disconnect(error: BaseException) -> bool:
    if isinstance(error, DBAPIError) and error.orig is not None:
        # SQLAlchemy has no name of its own for what PostgreSQL says while it starts or stops.
        return (
            error.connection_invalidated
            or isinstance(error, _DISCONNECTS)
            or isinstance(error.orig.__cause__, _DISCONNECTS)
        )
    return isinstance(error, _DISCONNECTS)


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_disconnect(error):
            raise DatabaseUnavailable(type(error).__name__) from error
        raise


class Asking(Protocol):
    def __call__(self, question: Question, **given: object) -> Awaitable[list[asyncpg.Record]]:
        """The rows that answer the question."""


class Database:
    """One process's way to PostgreSQL: at most `pool` connections for questions, and as many for all else."""

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = url
        self._askers = Askers(driver_url(url), pool, **_CONNECTING)
        self._told: list[Callable[[str], None]] = []
        self._engine = create_async_engine(
            engine_url(url),
            pool_size=pool,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
            # A restart of PostgreSQL leaves dead connections behind: the first to notice empties the pool.
            pool_use_lifo=True,
            json_deserializer=orjson.loads,
            connect_args=_CONNECTING,
        )
        # A read, or a change of one statement, needs no BEGIN and no COMMIT: two round trips, a quarter of its cost.
        self._committing: AsyncEngine = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def ask(self, question: Question, **given: object) -> list[asyncpg.Record]:
        """The rows that answer the question, each with its fields by name. Raises DatabaseUnavailable.

        What a question changes is committed at once, and may be lost where PostgreSQL crashes within the next second.
        """
        with _unavailable():
            return await self._askers.ask(question.text, self._arguments(question, given))

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[Asking]:
        """Asks questions whose changes are made together or not at all, and durably. Raises DatabaseUnavailable."""
        with _unavailable():
            async with self._askers.together() as asks:

                async def ask(question: Question, **given: object) -> list[asyncpg.Record]:
                    return await asks(question.text, self._arguments(question, given))

                yield ask

    def _arguments(self, question: Question, given: dict[str, object]) -> list[object]:
        for tell in self._told:
            tell(question.text)
        return question.arguments(given)

    @contextlib.asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement is a transaction of its own. Raises DatabaseUnavailable."""
        with _unavailable():
            async with self._committing.connect() as connection:
                yield connection

    reading = autocommit

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose statements are done together or not at all. Raises DatabaseUnavailable."""
        with _unavailable():
            async with self._engine.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def undone(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which anything may be tried: it sees all as it was at one moment, and nothing of it stays.

        Raises DatabaseUnavailable.
        """
        with _unavailable():
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                try:
                    yield connection
                finally:
                    await connection.rollback()

    async def close(self) -> None:
        await self._askers.close()
        await self._engine.dispose()

    def count_statements(self, on_statement: Callable[[str], None]) -> None:
        """Tell `on_statement` of every statement sent (for tests that promise a number of them)."""
        from sqlalchemy import event

        self._told.append(on_statement)

        def before(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            on_statement(statement)

        event.listen(self._engine.sync_engine, "before_cursor_execute", before)


def engine_url(url: str) -> Any:
    """SQLAlchemy's form of a postgresql:// address, on asyncpg."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def driver_url(url: str) -> str:
    """The plain form that asyncpg and psycopg take themselves."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
