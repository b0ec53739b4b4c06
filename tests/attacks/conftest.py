"""An attacker: somebody with a password of another account, and sockets that send whatever he likes."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import structlog

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.passwords import load_keyring
from berth.names import Registry
from berth.repositories import Repository
from berth.sealing import Seal
from berth.settings import Settings
from tests.integration.dataplane.conftest import Answer, RegistryClient, client, make_repository, password

__all__ = ["client", "make_repository", "password"]

MakeRepository = Callable[..., Awaitable[Repository]]
ABSENT = "sha256:" + "a" * 64
STRANGER = "000000000666"
# What differs between two answers to the same request, whatever they say.
VARYING = {"Date", "Location", "Docker-Upload-UUID"}


def same(answer: Answer, other: Answer) -> bool:
    """Whether nothing in the answers, headers and all, tells the one from the other."""
    heads = [{name: value for name, value in one.headers.items() if name not in VARYING} for one in (answer, other)]
    return answer.status == other.status and answer.body == other.body and heads[0] == heads[1]


@pytest.fixture
async def stranger(
    registry_url: str, registry: Registry, database: Database, seal: Seal
) -> AsyncIterator[RegistryClient]:
    """Somebody of another account, whose paths lead into the registry of the test."""
    key = await access_keys.create_root(database, seal, STRANGER)
    given = (await load_keyring(database, seal)).close_password(key.principal)[0]
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", given)}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        yield RegistryClient(session, registry_url, f"/v2/{registry.account}/{registry.region}")


@pytest.fixture
def strangers_own(stranger: RegistryClient, registry: Registry) -> RegistryClient:
    """The same attacker, in the registry of the other account."""
    return RegistryClient(stranger.session, stranger.base, f"/v2/{STRANGER}/{registry.region}")


@pytest.fixture(autouse=True)
def nothing_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An attack is refused; no log line may say that it was a fault of Berth's."""
    with structlog.testing.capture_logs() as lines:
        yield
    errors = [line for line in lines if line["log_level"] in {"error", "critical"}]
    assert not errors, errors
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


@pytest.fixture
def files_stay(settings: Settings) -> Iterator[None]:
    """All that lies in the data folder when the test ends lay there before, unchanged."""
    before = _files(settings.data)
    yield
    assert _files(settings.data) == before


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for root, _, names in os.walk(folder):
        # What the processes of a machine tell each other of changes is no file of anybody's.
        for name in (name for name in names if not name.startswith("changes-")):
            status = os.lstat(os.path.join(root, name))
            found[os.path.join(root, name)] = (status.st_size, status.st_mtime_ns)
    return found
