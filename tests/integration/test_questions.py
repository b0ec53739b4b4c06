"""Questions are answered whatever happened to the connections that asked before."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from berth.database import questions
from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question

ECHO = Question(select((literal(1) + bindparam("more", type_=Integer)).label("sum")))
WHO = Question(select(func.pg_backend_pid().label("pid")))
SLEEP = Question(select(func.pg_sleep(bindparam("seconds", type_=Integer)), func.pg_backend_pid().label("pid")))
FAIL = Question(select((literal(1) / bindparam("by", type_=Integer)).label("quotient")))
JSON = Question(
    select(func.jsonb_build_object(literal("ä"), bindparam("value", type_=Integer), type_=JSONB).label("json"))
)


@pytest.fixture
async def one(postgres_url: str) -> AsyncIterator[Database]:
    """A database with room for one question at a time."""
    database = Database(postgres_url, pool=1)
    yield database
    await database.close()


async def kill(database: Database, pid: int) -> None:
    async with database.reading() as connection:
        await connection.scalar(select(func.pg_terminate_backend(pid, 1000)))


async def pid_of(database: Database) -> Any:
    return (await database.ask(WHO))[0]["pid"]


async def test_a_question_is_asked_with_what_it_asks_for_and_nothing_else(one: Database) -> None:
    assert [row["sum"] for row in await one.ask(ECHO, more=2)] == [3]
    for given in ({}, {"less": 2}, {"more": 2, "less": 2}):
        with pytest.raises(TypeError, match="given"):
            await one.ask(ECHO, **given)


async def test_json_comes_as_what_it_says(one: Database) -> None:
    assert [row["json"] for row in await one.ask(JSON, value=7)] == [{"ä": 7}]


async def test_a_connection_is_kept_also_after_an_error_of_the_statement(one: Database) -> None:
    pid = await pid_of(one)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await one.ask(FAIL, by=0)
    assert await pid_of(one) == pid


async def test_a_dead_connection_is_replaced_before_anyone_notices(one: Database) -> None:
    pid = await pid_of(one)
    await kill(one, pid)
    assert await pid_of(one) != pid


async def test_a_connection_that_dies_with_a_question_says_that_the_database_is_unavailable(one: Database) -> None:
    pid = await pid_of(one)
    asking = asyncio.create_task(one.ask(SLEEP, seconds=30))
    await asyncio.sleep(0.1)
    await kill(one, pid)
    with pytest.raises(DatabaseUnavailable):
        await asking
    assert await pid_of(one) != pid


async def test_nobody_gets_the_answer_to_a_question_that_was_given_up(one: Database) -> None:
    pid = await pid_of(one)
    asking = asyncio.create_task(one.ask(SLEEP, seconds=30))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await pid_of(one) != pid


async def test_who_waits_for_a_connection_gets_it_or_hears_that_there_is_none(
    one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = asyncio.create_task(one.ask(SLEEP, seconds=1))
    await asyncio.sleep(0.1)
    with monkeypatch.context() as patch:
        patch.setattr(questions, "WAIT_SECONDS", 0.1)
        with pytest.raises(DatabaseUnavailable):
            await pid_of(one)
    assert await pid_of(one) == (await asking)[0]["pid"]


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    nowhere = Database("postgresql://berth:secret@localhost:1/berth")
    with pytest.raises(DatabaseUnavailable):
        await nowhere.ask(WHO)
    await nowhere.close()
