"""A place to send malformed requests to, and the check that they left nothing behind."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import structlog

from berth import images, repositories, uploads
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey, create_root
from berth.identity.credentials.passwords import load_keyring
from berth.images import manifests
from berth.names import Digest, RepositoryName, Tag
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.sealing import Seal
from berth.settings import Settings
from berth.store.filesystem import FilesystemStore
from tests.integration.bad_input.wire import exchange, request

NAME = "bad/input"
# What a worker opens once and keeps (connections to PostgreSQL, a thread's pipe): far below one for each request.
KEPT_DESCRIPTORS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Both planes, and a repository of the default registry with an image in it."""

    registry_address: str
    api_address: str
    key: AccessKey
    password: str = field(repr=False)
    repository: Repository
    layer: Digest
    image: Digest
    database: Database
    store: FilesystemStore
    master: Seal

    def address(self, plane: str) -> str:
        return self.registry_address if plane == "dataplane" else self.api_address


@pytest.fixture(scope="session")
async def place(
    registry_url: str, api_url: str, settings: Settings, database: Database, seal: Seal
) -> AsyncIterator[Place]:
    key = await create_root(database, seal, settings.account_id)
    password, _ = (await load_keyring(database, seal)).close_password(key.principal)
    repository = await repositories.create(
        database, settings.registry, RepositoryName(NAME), mutability=Mutability.of("MUTABLE")
    )
    store = FilesystemStore(settings.store_folder)

    async def content() -> AsyncIterator[bytes]:
        yield b"{}"

    layer = await uploads.put(database, store, settings.registry, NAME, Digest.of(b"{}"), content())
    manifest = manifests.parse(
        b'{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%b","size":2},"layers":[]}'
        % layer.digest.encode()
    )
    await images.put(database, settings.registry, NAME, manifest, [Tag("v1")])
    yield Place(
        registry_url.removeprefix("http://"),
        api_url.removeprefix("http://"),
        key,
        password,
        repository,
        layer.digest,
        manifest.digest,
        database,
        store,
        seal,
    )
    await repositories.remove(database, settings.registry, NAME, force=True)


@pytest.fixture(autouse=True)
def nothing_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A malformed request is the caller's fault: no log line may say that it was Berth's."""
    with structlog.testing.capture_logs() as lines:
        yield
    errors = [line for line in lines if line["log_level"] in {"error", "critical"}]
    assert not errors, errors
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


@pytest.fixture(scope="package", autouse=True)
async def nothing_is_left(place: Place, settings: Settings) -> AsyncIterator[None]:
    """After all the tables, both planes are ready, and hold no connection, file or upload of the requests."""
    descriptors, before = len(os.listdir("/proc/self/fd")), held(place, settings)
    yield
    for address in (place.registry_address, place.api_address):
        answer = await exchange(address, request("GET", "/readyz", {"Host": address, "Connection": "close"}))
        assert answer.status == 200, answer
    assert not held(place, settings) - before
    assert len(os.listdir("/proc/self/fd")) - descriptors < KEPT_DESCRIPTORS


def held(place: Place, settings: Settings) -> set[object]:
    """The connections to both planes, the files of the store that are open, and the uploads that it keeps."""
    process = psutil.Process()
    ports = {int(address.rpartition(":")[2]) for address in (place.registry_address, place.api_address)}
    connections = [c for c in process.net_connections() if c.laddr.port in ports and c.status != psutil.CONN_LISTEN]
    files = [file.path for file in process.open_files() if Path(file.path).is_relative_to(settings.store_folder)]
    return {*connections, *files, *(settings.store_folder / "uploads").iterdir()}
