"""Machines that share a database keep a rate together, though no request asks the database."""

import asyncio
import multiprocessing
import multiprocessing.connection
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from berth.database.db import Database
from berth.names import Registry
from berth.throttling.buckets import BURST_SECONDS, Throttle
from berth.throttling.cells import Cells
from berth.throttling.sharing import sharing

GET = "ecr:GetAuthorizationToken"
RATE = 40


async def _take(url: str, folder: Path, asked: tuple[str, str, str], seconds: float) -> int:
    """What one machine gets that asks for twice the rate."""
    database, throttle = Database(url, pool=1), Throttle({GET: RATE}, Cells(folder))
    count = 0
    async with sharing(throttle, database):
        begun = time.monotonic()
        asking = 0
        while (now := time.monotonic() - begun) < seconds:
            while asking < now * 2 * RATE + BURST_SECONDS * RATE / 2:
                asking += 1
                count += throttle.wait(*asked) == 0
            await asyncio.sleep(0.005)
    throttle.close()
    await database.close()
    return count


def _machine(
    url: str, folder: Path, asked: tuple[str, str, str], seconds: float, pipe: multiprocessing.connection.Connection
) -> None:
    pipe.send(None)
    pipe.recv()
    pipe.send(asyncio.run(_take(url, folder, asked, seconds)))


@pytest.mark.parametrize("machines", [2, 3])
def test_several_machines_keep_the_rate_together(
    postgres_url: str, tmp_path: Path, registry: Registry, machines: int
) -> None:
    """All of them begin with a rush, and ask for two to three times the rate each from then on."""
    seconds = 5.0
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(machines):
        folder = tmp_path / str(number)
        folder.mkdir()
        here, there = context.Pipe()
        asked = (registry.account, registry.region, GET)
        process = context.Process(target=_machine, args=(postgres_url, folder, asked, seconds, there))
        process.start()
        pipes.append(here)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    begun = time.monotonic()
    for pipe in pipes:
        pipe.send(None)
    counts = [pipe.recv() for pipe in pipes]
    lasted = time.monotonic() - begun
    for process in processes:
        process.join()
    assert sum(counts) <= 1.2 * (RATE * BURST_SECONDS + RATE * lasted), counts
    assert sum(counts) >= RATE * BURST_SECONDS, counts


async def test_one_who_asks_little_tells_nothing(database: Database, registry: Registry, tmp_path: Path) -> None:
    throttle = Throttle({GET: 100}, Cells())
    async with sharing(throttle, database):
        for _ in range(11):
            assert throttle.wait(registry.account, registry.region, GET) == 0
        await asyncio.sleep(0.3)
    assert await _known(database, registry) == []


async def test_many_requests_are_told_in_one_statement(database: Database, registry: Registry) -> None:
    told: list[str] = []
    database.count_statements(lambda statement: told.append(statement) if "INTO throttles" in statement else None)
    throttle = Throttle({GET: 500}, Cells())
    async with sharing(throttle, database):
        for _ in range(400):
            assert throttle.wait(registry.account, registry.region, GET) == 0
        for _ in range(1000):
            if await _known(database, registry):
                break
            await asyncio.sleep(0.01)
    assert len(told) == 1
    other = Throttle({GET: 500}, Cells())
    async with sharing(other, database):
        for _ in range(500 * BURST_SECONDS):
            other.wait(registry.account, registry.region, GET)
        deadline = time.monotonic() + 10
        while other.wait(registry.account, registry.region, GET) < 0.1:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_without_the_database_each_keeps_its_own(registry: Registry) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/none", pool=1)
    throttle = Throttle({GET: 1}, Cells())
    async with sharing(throttle, gone):
        assert sum(throttle.wait(registry.account, registry.region, GET) == 0 for _ in range(500)) == 10
        await asyncio.sleep(0.1)
        assert throttle.wait(registry.account, registry.region, GET) > 0
    await gone.close()


async def _known(database: Database, registry: Registry) -> list[str]:
    question = text("SELECT bucket FROM throttles WHERE starts_with(bucket, :account)")
    async with database.reading() as connection:
        return list((await connection.execute(question, {"account": registry.account})).scalars())
