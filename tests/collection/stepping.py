"""Whoever works on a registry, made to stop before each statement, commit and change of the store.

An actor is one process's work: it goes on from stop to stop as the test says, is killed at one, or loses its connection
to PostgreSQL, and its locks with it, while it goes on itself.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import column, func, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Asking, Database
from berth.database.questions import Question
from berth.store.contract import Blob, Confirm, Draft, Store, Written

# An actor that has not come to its next stop waits for another one: at once where PostgreSQL says that its connection
# waits for a lock, and otherwise after a while, unless PostgreSQL works on something.
FIRST_LOOK_SECONDS = 0.005
LOOK_SECONDS = 0.04
MOST_LOOKS = 250

_actor: ContextVar["Actor | None"] = ContextVar("actor", default=None)
BACKEND = Question(select(func.pg_backend_pid().label("pid")))
_activity = table("pg_stat_activity", *map(column, ("datname", "pid", "backend_type", "state", "wait_event_type")))
# Connections whose statement is not over, and whether it waits for a lock.
_ASKED = Question(
    select(_activity.c.pid, (func.coalesce(_activity.c.wait_event_type, "") == "Lock").label("is_waiting"))
    .where(_activity.c.datname == func.current_database())
    .where(_activity.c.pid != func.pg_backend_pid())
    .where(_activity.c.backend_type == "client backend")
    .where(_activity.c.state == "active")
)


@dataclass
class Actor:
    name: str
    stops: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    is_killed: bool = False
    is_cut: bool = False
    # Of its connection, while it is in a transaction.
    pid: int | None = None
    # Which it asked last.
    database: Database | None = None
    task: asyncio.Task[Any] = field(init=False)

    @classmethod
    async def begin(cls, name: str, work: Coroutine[Any, Any, Any]) -> "Actor":
        actor = cls(name)

        async def run() -> Any:
            _actor.set(actor)
            try:
                await stop("begin")
                return await work
            finally:
                work.close()
                actor.stopped.set()

        actor.task = asyncio.create_task(run())
        await actor.stopped.wait()
        return actor

    @property
    def is_done(self) -> bool:
        return self.task.done()

    async def step(self, which: int = 0) -> None:
        """Go on from one of its stops (it may do several things at once) to the next, or until it waits for others."""
        if self.stops:
            self.stopped.clear()
            _, at = self.stops.pop(which % len(self.stops))
            if not at.done():
                at.set_result(None)
        await self._until_stopped()

    async def kill(self) -> None:
        """It does nothing more, and its connection is gone."""
        self.is_killed = True
        for _, at in self.stops:
            at.cancel()
        self.stops.clear()
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _until_stopped(self) -> None:
        for look in range(MOST_LOOKS):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopped.wait(), LOOK_SECONDS if look else FIRST_LOOK_SECONDS)
                return
            rows = await self.database.ask(_ASKED) if self.database else []
            asked = {row["pid"]: row["is_waiting"] for row in rows}
            if all(asked.values()) and (look or self.pid in asked):
                return


async def stop(where: str) -> None:
    actor = _actor.get()
    if actor is None:
        return
    if actor.is_killed:
        raise asyncio.CancelledError
    at: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    actor.stops.append((where, at))
    actor.stopped.set()
    await at


def _uses(database: Database) -> None:
    actor = _actor.get()
    if actor is not None:
        actor.database = database


def _connected(pid: int | None) -> None:
    actor = _actor.get()
    if actor is not None:
        actor.pid = pid


class SteppedDatabase(Database):
    async def ask(self, question: Question, **given: object) -> list[Any]:
        _uses(self)
        await stop("ask")
        rows = await super().ask(question, **given)
        await stop("asked")
        return rows

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[Asking]:
        _uses(self)
        await stop("begin")
        async with super().asking() as ask:
            _connected((await ask(BACKEND))[0]["pid"])

            async def stepped(question: Question, **given: object) -> list[Any]:
                await stop("statement")
                return await ask(question, **given)

            try:
                yield stepped
                await stop("commit")
            finally:
                _connected(None)
        await stop("committed")

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        _uses(self)
        await stop("begin")
        async with super().transaction() as connection:
            _connected(await connection.scalar(select(func.pg_backend_pid())))
            try:
                yield SteppedConnection(connection)  # type: ignore[misc]
                await stop("commit")
            finally:
                _connected(None)
        await stop("committed")


class SteppedConnection:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, *arguments: Any) -> Any:
        await stop("statement")
        return await self._connection.execute(*arguments)

    async def scalar(self, *arguments: Any) -> Any:
        await stop("statement")
        return await self._connection.scalar(*arguments)

    async def scalars(self, *arguments: Any) -> Any:
        await stop("statement")
        return await self._connection.scalars(*arguments)


class SteppedStore:
    """Implements berth.store.contract.Store by another one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        async def confirmed() -> None:
            if confirm is not None:
                await confirm()
            await stop("about to remove")

        await stop("remove")
        await self._store.remove(blob, confirmed)
        await stop("removed")

    @contextlib.asynccontextmanager
    async def claim(self, upload: uuid.UUID) -> AsyncIterator["SteppedDraft"]:
        async with self._store.claim(upload) as draft:
            yield SteppedDraft(draft)


class SteppedDraft:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def __getattr__(self, name: str) -> Any:
        return getattr(self._draft, name)

    async def place(self, written: Written, blob: Blob) -> None:
        await stop("place")
        await self._draft.place(written, blob)
        await stop("placed")
