"""What a layer that is pushed in one request costs the store."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from berth import repositories, uploads
from berth.database.db import Database
from berth.errors import InvalidLayer
from berth.names import Digest, Registry, RepositoryName
from berth.repositories.mutability import Mutability
from berth.store.contract import StoreUnavailable
from berth.store.filesystem import FilesystemStore


class CountingStore(FilesystemStore):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.abandoned: list[uuid.UUID] = []
        self.is_well = True

    async def abandon(self, upload: uuid.UUID) -> None:
        self.abandoned.append(upload)
        if not self.is_well:
            raise StoreUnavailable
        await super().abandon(upload)


@pytest.fixture
async def store(database: Database, registry: Registry, tmp_path: Path) -> CountingStore:
    await repositories.create(database, registry, RepositoryName("app"), mutability=Mutability.of("MUTABLE"))
    return CountingStore(tmp_path / "store")


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_a_layer_is_put_and_nothing_is_looked_for_afterwards(
    database: Database, registry: Registry, store: CountingStore
) -> None:
    await uploads.put(database, store, registry, "app", Digest.of(b"x"), once(b"x"))
    assert store.abandoned == []
    assert await store.stale_uploads(-1) == []


@pytest.mark.parametrize("is_well", [True, False])
async def test_one_that_is_refused_is_abandoned_and_the_refusal_is_told(
    database: Database, registry: Registry, store: CountingStore, is_well: bool
) -> None:
    store.is_well = is_well
    with pytest.raises(InvalidLayer):
        await uploads.put(database, store, registry, "app", Digest.of(b"x"), once(b"y"))
    assert len(store.abandoned) == 1
    assert len(await store.stale_uploads(-1)) == (0 if is_well else 1)
