"""A PostgreSQL of these tests' own: collection looks at all registries, and others' are not to be collected."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from berth.collection import removing
from berth.database.db import Database
from berth.names import Registry
from berth.store.filesystem import FilesystemStore
from tests.collection.place import Place
from tests.conftest import running_postgres


@pytest.fixture(scope="session")
def collected_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("collected")) as (url, _):
        yield url


@pytest.fixture(scope="session")
async def collected(collected_url: str) -> AsyncIterator[Database]:
    database = Database(collected_url)
    yield database
    await database.close()


@pytest.fixture
def place(collected: Database, tmp_path: Path) -> Place:
    registry = Registry(f"{secrets.randbelow(10**12):012}", "us-east-1")
    return Place(collected, FilesystemStore(tmp_path / "store"), registry)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An actor may be stopped for as long as a test likes, also between a question and its answer."""
    monkeypatch.setattr(removing, "CONFIRM_SECONDS", 3600)
