"""A disk that is full, for real: a small file system of its own for the store, or for it and the database."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

import listener
from berth import collection, repositories
from berth.collection import Windows
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.passwords import load_keyring
from berth.names import Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.sealing import master_seal
from berth.settings import Settings
from berth.store.filesystem import FilesystemStore
from berth.store.filesystem.reserve import Reserve
from dataplane.app import make_app
from tests.absences import absent
from tests.conftest import running_postgres
from tests.integration.dataplane.conftest import Answer, RegistryClient, sha256

MIB = 1 << 20
ROOM = 8 * MIB
# For a new PostgreSQL and some layers; 5 % of it are more than a segment of its log (16 MiB).
SHARED_ROOM = 400 * MIB
AT_ONCE = Windows(timedelta(), timedelta())


@contextlib.contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "berth-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        absent("only root may mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", ROOM) as folder:
        yield folder


def free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


async def push(client: RegistryClient, content: bytes, ways: str) -> Answer:
    """As clients do it, which leave an upload that is refused to itself."""
    path = f"app/blobs/uploads/{(await client.send('POST', 'app/blobs/uploads/')).headers['Docker-Upload-UUID']}"
    if ways == "PATCH":
        answer = await client.send("PATCH", path, data=content)
        if answer.status != 202:
            return answer
        content_of_put = b""
    else:
        content_of_put = content
    return await client.send("PUT", f"{path}?digest={sha256(content)}", data=content_of_put)


@pytest.mark.parametrize("is_reserve_kept", [True, False], ids=["by layers", "by others"])
@pytest.mark.parametrize("way", ["PATCH", "PUT"])
@pytest.mark.parametrize("size", [60_000, 600_000, 3 * MIB])
async def test_what_does_not_fit_is_refused_what_was_acknowledged_stays_and_room_is_used_again(
    settings: Settings,
    client: RegistryClient,
    make_repository: Callable[..., Awaitable[Repository]],
    small_disk: Path,
    size: int,
    way: str,
    is_reserve_kept: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not is_reserve_kept:
        # As where another program takes the room between two looks.
        monkeypatch.setattr(Reserve, "keep", lambda *_: None)
    await make_repository("app")
    settings = settings.model_copy(update={"store": f"file://{small_disk}/store"})
    async with listener.listening(make_app, settings, "localhost:0") as address:
        there = RegistryClient(client.session, f"http://{address}", client.prefix)
        kept: list[bytes] = []
        refused: Answer | None = None
        while refused is None:
            assert len(kept) < ROOM // size + 1, "more was acknowledged than there is room"
            content = os.urandom(size)
            answer = await push(there, content, way)
            if answer.status == 201:
                kept.append(content)
            else:
                refused = answer
        assert kept
        assert (refused.status, refused.error["code"]) == (503, "UNAVAILABLE")
        assert ("the store is full" if is_reserve_kept else "ENOSPC") in refused.error["message"]
        assert not is_reserve_kept or free(small_disk) >= ROOM // 20
        assert str(small_disk) not in refused.error["message"]
        for content in kept:
            assert (await there.send("GET", f"app/blobs/{sha256(content)}")).body == content
        assert (await there.send("DELETE", f"app/blobs/{sha256(kept[0])}")).status == 202
        # The collector does this later.
        for file in (small_disk / "store").rglob(sha256(kept[0]).removeprefix("sha256:")):
            file.unlink()
        with contextlib.suppress(FileNotFoundError):
            assert not list((small_disk / "store" / "uploads").iterdir())
        content = os.urandom(size)
        assert (await push(there, content, way)).status == 201
        assert (await there.send("GET", f"app/blobs/{sha256(content)}")).body == content


@contextlib.asynccontextmanager
async def planes_on(folder: Path) -> AsyncIterator[tuple[RegistryClient, Database, FilesystemStore]]:
    """A data plane whose database and store are both in the folder, and a repository `app`."""
    with running_postgres(folder) as (url, _):
        settings = Settings(data=folder, database_url=url, throttling="off")
        database, seal, registry = Database(url), master_seal(settings), Registry("123456789012", settings.region)
        await repositories.create(database, registry, RepositoryName("app"), mutability=Mutability.of("MUTABLE"))
        root = await access_keys.create_root(database, seal, registry.account)
        password, _ = (await load_keyring(database, seal)).close_password(root.principal)
        headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            listener.listening(make_app, settings, "localhost:0") as address,
        ):
            client = RegistryClient(session, f"http://{address}", f"/v2/{registry.account}/{registry.region}")
            yield client, database, FilesystemStore(settings.store_folder)
        await database.close()


async def test_layers_leave_room_to_the_database_so_that_they_can_be_deleted(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", SHARED_ROOM) as folder:
        async with planes_on(folder) as (client, database, store):
            begun = (await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"]
            upload = f"app/blobs/uploads/{begun}"
            assert (await client.send("PATCH", upload, data=os.urandom(16 * MIB))).status == 202

            kept = ""
            while (answer := await push(client, content := os.urandom(16 * MIB), "PUT")).status == 201:
                kept = sha256(content)
            assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
            assert "are kept free" in answer.error["message"]
            assert kept
            # More than is left in the segment of the log that it writes to.
            async with database.transaction() as connection:
                await connection.exec_driver_sql(
                    "SELECT pg_logical_emit_message(false, 'berth', repeat('x', 16777216))"
                )

            assert (await client.send("DELETE", upload)).status == 204
            assert (await push(client, os.urandom(12 * MIB), "PUT")).status == 201
            assert (await push(client, os.urandom(16 * MIB), "PUT")).status == 503
            assert (await client.send("DELETE", f"app/blobs/{kept}")).status == 202
            await collection.collect(database, store, AT_ONCE)
            assert (await push(client, os.urandom(12 * MIB), "PUT")).status == 201
