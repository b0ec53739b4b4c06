"""The key ring is rotated: every process takes the new key, the old ones open for as long as what they sealed holds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from berth.changes.ear import Ear
from berth.database.db import Database
from berth.identity.credentials import key_rotation
from berth.identity.credentials.passwords import KeyRing, load_keyring
from berth.identity.principals import Principal
from berth.sealing import Seal, SealBroken, new_key
from tests.conftest import running_postgres
from tests.hearing import until_it_hears

ROOT = Principal.root("123456789012", "AKIAEXAMPLE")
MASTER = Seal(new_key())


@pytest.fixture(scope="module")
async def ring_database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A database of its own: what is dropped here is nobody else's."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as (url, _):
        database = Database(url)
        yield database
        await database.close()


@contextlib.asynccontextmanager
async def process(database: Database) -> AsyncIterator[KeyRing]:
    """The key ring of a process that hears what changes by PostgreSQL alone, as one of another machine does."""
    ring = await load_keyring(database, MASTER)
    ear = Ear(database.url)
    async with key_rotation.following(ring, ear), ear.listening():
        await until_it_hears(ear)
        yield ring


async def until_known(ring: KeyRing, sealed: str) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(SealBroken):
                ring.open(sealed, "test")
                return
            await asyncio.sleep(0.01)


async def test_processes_seal_with_the_new_key_and_open_with_the_old(ring_database: Database) -> None:
    async with process(ring_database) as one, process(ring_database) as other:
        password, _ = one.close_password(ROOT)
        rotation = await key_rotation.rotate(ring_database, MASTER)
        new = await load_keyring(ring_database, MASTER)
        await until_known(one, new.close(b"", "test"))
        await until_known(other, one.close(b"", "test"))
        assert one.newest == other.newest == rotation.newest
        assert other.open_password(password).principal == ROOT
        assert rotation.newest not in rotation.opening


async def test_the_first_text_sealed_by_a_new_key_makes_a_process_look_for_it(ring_database: Database) -> None:
    deaf = await load_keyring(ring_database, MASTER)
    for _ in range(2):
        await key_rotation.rotate(ring_database, MASTER)
        password, _ = (await load_keyring(ring_database, MASTER)).close_password(ROOT)
        with pytest.raises(SealBroken, match="not in the ring"):
            deaf.open_password(password)
        await asyncio.gather(*(deaf.meet(password) for _ in range(10)))
        assert deaf.open_password(password).principal == ROOT


async def test_invented_ids_of_keys_make_few_questions(ring_database: Database) -> None:
    ring = await load_keyring(ring_database, MASTER)
    looks = 0

    async def load() -> dict[int, bytes]:
        nonlocal looks
        looks += 1
        return {ring.newest: new_key()}

    asked = KeyRing({ring.newest: new_key()}, load)
    liar = KeyRing({ring.newest + 1: new_key()})
    for _ in range(20):
        await asyncio.gather(*(asked.meet(liar.close(b"", "test")) for _ in range(50)), return_exceptions=True)
        if looks > 1:
            break
    assert looks <= 2
    before = looks
    for text_of_nobody in ("", "?", "a", "AAAAAAAA", KeyRing({ring.newest + 100_000: new_key()}).close(b"", "test")):
        await asked.meet(text_of_nobody)
    assert looks == before


async def test_a_key_is_dropped_when_nothing_that_it_sealed_holds_any_more(ring_database: Database) -> None:
    old = (await key_rotation.rotate(ring_database, MASTER)).newest
    ring = await load_keyring(ring_database, MASTER)
    password, _ = ring.close_password(ROOT)
    replacing = await key_rotation.rotate(ring_database, MASTER)
    assert old in replacing.opening
    assert (await key_rotation.rotate(ring_database, MASTER)).dropped == ()
    await age(ring_database, replacing.newest, timedelta(hours=25, seconds=1))
    assert old in (await key_rotation.rotate(ring_database, MASTER)).dropped
    with pytest.raises(SealBroken, match="not in the ring"):
        (await load_keyring(ring_database, MASTER)).open_password(password)


async def age(database: Database, key_id: int, by: timedelta) -> None:
    """Make the key, and those before it, older."""
    async with database.transaction() as connection:
        await connection.execute(
            text("UPDATE keyring SET created_at = created_at - CAST(:by AS interval) WHERE id <= :id"),
            {"by": by, "id": key_id},
        )


async def test_another_master_key_rotates_nothing(ring_database: Database) -> None:
    newest = (await load_keyring(ring_database, MASTER)).newest
    with pytest.raises(SealBroken):
        await key_rotation.rotate(ring_database, Seal(new_key()))
    assert (await load_keyring(ring_database, MASTER)).newest == newest
