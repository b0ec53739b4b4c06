"""Images that are new: put by one statement, as durably and as exactly as any other."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, text

from berth import images, repositories
from berth.database.db import Database
from berth.errors import ImageTagAlreadyExists, LayersNotFound, RepositoryNotFound
from berth.images import Put
from berth.names import Registry, RepositoryName, Tag
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.schema import repository_layers
from tests.integration.test_storage_class_races import CONFIG, image

RIVALS = 6


@pytest.fixture(params=["MUTABLE", "IMMUTABLE"])
async def repository(database: Database, registry: Registry, request: pytest.FixtureRequest) -> Repository:
    mutability = Mutability.of(request.param)
    made = await repositories.create(database, registry, RepositoryName("fresh"), mutability=mutability)
    async with database.transaction() as connection:
        layer = {"repository_id": made.id, "digest": CONFIG, "size": 2}
        await connection.execute(insert(repository_layers).values(layer))
    return made


async def asked(database: Database, question: str, **given: Any) -> Any:
    async with database.reading() as connection:
        return await connection.scalar(text(question), given)


async def test_a_new_image_takes_one_statement(database: Database, registry: Registry, repository: Repository) -> None:
    statements: list[str] = []
    database.count_statements(statements.append)
    put = await images.put(database, registry, repository.name, image(1), [Tag("v1"), Tag("v2")])
    assert len(statements) == 1
    assert put == Put(image(1), image_is_new=True, image_is_restored=False, tag_changed=True)
    put = await images.put(database, registry, repository.name, image(2))
    assert put == Put(image(2), image_is_new=True, image_is_restored=False, tag_changed=False)
    count = "SELECT count(*) FROM tags WHERE repository_id = :id"
    assert await asked(database, count, id=repository.id) == 2


async def test_it_is_on_the_disk_when_that_is_said(
    database: Database, registry: Registry, repository: Repository
) -> None:
    """Though questions that are asked alone need not be: PostgreSQL has flushed its log beyond where it was before."""
    flushed = "SELECT pg_current_wal_flush_lsn() > CAST(CAST(:before AS text) AS pg_lsn)"
    await images.put(database, registry, repository.name, image(0))
    for number in range(1, 20):
        before = await asked(database, "SELECT pg_current_wal_insert_lsn()::text")
        await images.put(database, registry, repository.name, image(number), [Tag(f"v{number}")])
        assert await asked(database, flushed, before=before)


async def test_of_those_who_put_one_image_at_once_one_has_put_it(
    database: Database, registry: Registry, repository: Repository
) -> None:
    for number in range(10):
        putting = [images.put(database, registry, repository.name, image(number)) for _ in range(RIVALS)]
        puts = await asyncio.gather(*putting)
        assert [put.image_is_new for put in puts].count(True) == 1


async def test_of_those_who_put_one_tag_at_once_one_has_the_last_word(
    database: Database, registry: Registry, repository: Repository
) -> None:
    for number in range(10):
        tag = Tag(f"v{number}")
        rivals = [image(number * RIVALS + rival) for rival in range(RIVALS)]
        putting = [images.put(database, registry, repository.name, rival, [tag]) for rival in rivals]
        outcomes = await asyncio.gather(*putting, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(refusal, ImageTagAlreadyExists) for refusal in refused), refused
        assert len(refused) == (0 if repository.mutability.mode == "MUTABLE" else RIVALS - 1)
        holder = "SELECT digest FROM tags WHERE repository_id = :id AND tag = :tag"
        assert await asked(database, holder, id=repository.id, tag=tag) in {rival.digest for rival in rivals}
        # Those who were refused left nothing behind.
        there = "SELECT count(*) FROM images WHERE repository_id = :id"
        assert await asked(database, there, id=repository.id) == sum(
            1 if repository.mutability.mode == "IMMUTABLE" else RIVALS for _ in range(number + 1)
        )


async def test_what_is_missing_is_said(database: Database, registry: Registry, repository: Repository) -> None:
    with pytest.raises(RepositoryNotFound):
        await images.put(database, registry, "absent", image(1))
    async with database.transaction() as connection:
        await connection.execute(repository_layers.delete().where(repository_layers.c.repository_id == repository.id))
    with pytest.raises(LayersNotFound):
        await images.put(database, registry, repository.name, image(1), [Tag("v1")])
    assert await asked(database, "SELECT count(*) FROM tags WHERE repository_id = :id", id=repository.id) == 0
