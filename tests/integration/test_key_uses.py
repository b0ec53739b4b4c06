"""The last use of an access key is noted beside the requests, seldom, and whatever becomes of the note."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy

from berth.database.db import Database
from berth.identity.credentials import key_uses
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.key_uses import KeyUses
from berth.identity.directory import identities
from berth.names import Registry
from berth.schema import access_keys
from berth.sealing import Seal
from tests.identities import Identities

NOTED = "UPDATE access_keys"


@pytest.fixture
def statements(database: Database) -> list[str]:
    told: list[str] = []
    database.count_statements(lambda statement: told.append(statement) if statement.startswith(NOTED) else None)
    return told


async def last_use(database: Database, key: AccessKey) -> tuple[datetime | None, str | None, str | None]:
    table = access_keys.c
    question = sqlalchemy.select(table.last_used_at, table.last_used_region, table.last_used_service)
    async with database.reading() as connection:
        at, region, service = (await connection.execute(question.where(table.id == key.id))).one()
    return at, region, service


async def test_the_first_of_many_uses_is_noted(database: Database, root_key: AccessKey, statements: list[str]) -> None:
    uses = KeyUses(database)
    for service in ("ecr", "iam", "ecr"):
        uses.note(root_key.id, "eu-west-1", service)
    await uses.noted()
    at, region, service = await last_use(database, root_key)
    assert at is not None
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
    assert (region, service) == ("eu-west-1", "ecr")
    uses.note(root_key.id, "eu-west-1", "iam")
    await uses.noted()
    assert len(statements) == 1


async def test_another_process_does_not_note_it_again(database: Database, root_key: AccessKey) -> None:
    for region in ("eu-west-1", "eu-west-2"):
        uses = KeyUses(database)
        uses.note(root_key.id, region, "ecr")
        await uses.noted()
    assert (await last_use(database, root_key))[1] == "eu-west-1"


async def test_a_note_that_was_lost_is_made_again(database: Database, root_key: AccessKey) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    uses = KeyUses(away)
    uses.note(root_key.id, "eu-west-1", "ecr")
    await uses.noted()
    tried: list[str] = []
    away.count_statements(tried.append)
    uses.note(root_key.id, "eu-west-1", "ecr")
    await uses.noted()
    assert len(tried) == 1
    await away.close()


async def test_what_is_remembered_is_bounded(
    database: Database, root_key: AccessKey, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    monkeypatch.setattr(key_uses, "REMEMBERED", 2)
    uses = KeyUses(database)
    for name in ("AKIAONE", "AKIATWO", "AKIATHREE", "AKIAONE"):
        uses.note(name, "eu-west-1", "ecr")
        await asyncio.sleep(0)
    await uses.noted()
    assert len(statements) == 4


async def test_a_role_is_noted_by_where_it_was_used(
    database: Database, seal: Seal, root_key: AccessKey, registry: Registry
) -> None:
    session = await Identities(database, seal, registry.account).role_session("deployer")
    assert session.identity_id is not None
    uses = KeyUses(database)
    for region in ("eu-west-1", "eu-west-2"):
        uses.note_role(session.identity_id, region)
    await uses.noted()
    role = await identities.get_by_id(database, session.identity_id)
    assert role is not None
    assert role.last_used_at is not None
    assert role.last_used_region == "eu-west-1"
