"""What the tables name is verified, and carried from one store to another, whatever goes on meanwhile."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from berth import collection, layers, repositories, stored, uploads
from berth.collection import Windows
from berth.database.db import Database
from berth.names import Digest, Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.settings import Settings
from berth.store.contract import Blob, Store, StoreUnavailable
from berth.store.filesystem import FilesystemStore
from berth.store.moving import MovingStore
from berth.store.s3 import S3Store
from tests.conftest import running_postgres
from tests.s3_servers import S3Server

AT_ONCE = 4
NAME = "team/app"


async def make_repository(database: Database, registry: Registry, name: str) -> Repository:
    return await repositories.create(database, registry, RepositoryName(name), mutability=Mutability.of("MUTABLE"))


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as (url, _):
        yield url


@pytest.fixture
async def database(own_postgres: str) -> AsyncIterator[Database]:
    """With no layer but this test's."""
    database = Database(own_postgres)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("TRUNCATE layers, repositories, deleted_images CASCADE")
    yield database
    await database.close()


@pytest.fixture
async def repository(database: Database, registry: Registry) -> Repository:
    return await make_repository(database, registry, NAME)


@pytest.fixture(params=["file to s3", "s3 to file"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path, real_s3: S3Server) -> AsyncIterator[tuple[Store, Store]]:
    bucket = real_s3.make_bucket()
    stores = [
        FilesystemStore(tmp_path / "store") if kind == "file" else S3Store(real_s3.access(bucket, "berth"))
        for kind in request.param.split(" to ")
    ]
    yield stores[0], stores[1]
    for store in stores:
        await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "store")


async def push(database: Database, store: Store, repository: Repository, content: bytes) -> Blob:
    digest = Digest.of(content)
    await uploads.put(database, store, repository.registry, repository.name, digest, stream(content))
    return Blob(repository.registry, digest)


def file_of(store: FilesystemStore, blob: Blob) -> Path:
    return store._path(blob)


async def test_what_is_whole_is_well(database: Database, repository: Repository, folder: FilesystemStore) -> None:
    for number in range(20):
        await push(database, folder, repository, bytes([number]) * 1000)
    await push(database, folder, repository, b"")
    read: list[int] = []
    report = await stored.verify(database, folder, AT_ONCE, seen=read.append)
    assert (report.blobs, report.bytes, report.is_well, report.orphaned) == (21, 20_000, True, [])
    assert sum(read) == 20_000
    assert await stored.extent(database) == stored.Extent(21, 20_000)


async def test_what_is_missing_wrong_or_orphaned_is_found(
    database: Database, repository: Repository, folder: FilesystemStore, registry: Registry
) -> None:
    whole, missing, wrong, short, orphaned = [
        await push(database, folder, repository, f"content {number}".encode()) for number in range(5)
    ]
    file_of(folder, missing).unlink()
    file_of(folder, wrong).write_bytes(b"content X")
    file_of(folder, short).write_bytes(b"content")
    await layers.unlink(database, repository, orphaned.digest)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM layers WHERE digest = $1", (orphaned.digest,))
    report = await stored.verify(database, folder, AT_ONCE)
    assert report.missing == [missing]
    assert sorted(report.wrong, key=lambda blob: blob.digest) == sorted([wrong, short], key=lambda blob: blob.digest)
    assert report.orphaned == [orphaned]
    assert not report.is_well
    assert whole not in [*report.missing, *report.wrong]
    # Pushed again, all is well again.
    for number in range(5):
        await push(database, folder, repository, f"content {number}".encode())
    report = await stored.verify(database, folder, AT_ONCE)
    assert (report.is_well, report.orphaned) == (True, [])


async def test_what_cannot_be_read_is_wrong_and_the_rest_is_verified(
    database: Database, repository: Repository, folder: FilesystemStore
) -> None:
    unreadable, _ = [await push(database, folder, repository, content) for content in (b"unreadable", b"whole")]
    file_of(folder, unreadable).unlink()
    # As for a sector that is broken, so far as a test can do it.
    file_of(folder, unreadable).mkdir()
    report = await stored.verify(database, folder, AT_ONCE)
    assert (report.blobs, report.wrong, report.missing) == (2, [unreadable], [])


async def test_one_repository_is_verified_alone(
    database: Database, repository: Repository, folder: FilesystemStore, registry: Registry
) -> None:
    another = await make_repository(database, registry, "another")
    mine = await push(database, folder, repository, b"mine")
    await push(database, folder, another, b"another's")
    file_of(folder, mine).unlink()
    assert (await stored.verify(database, folder, AT_ONCE, repository=another)).is_well
    assert (await stored.verify(database, folder, AT_ONCE, repository=repository)).missing == [mine]
    assert await stored.extent(database, another) == stored.Extent(1, 9)


async def test_what_is_only_expected_is_no_fault(
    database: Database, repository: Repository, folder: FilesystemStore, registry: Registry
) -> None:
    await layers.intend(database, registry, NAME, Digest.of(b"soon"))
    assert (await stored.verify(database, folder, AT_ONCE)).is_well


async def test_pushes_deletes_and_collections_meanwhile_are_no_fault(
    database: Database, repository: Repository, folder: FilesystemStore
) -> None:
    done = asyncio.Event()

    async def trouble() -> None:
        for number in range(60):
            content = f"content {number % 7}".encode() * 1000
            blob = await push(database, folder, repository, content)
            if number % 2:
                await layers.unlink(database, repository, blob.digest)
                await collection.collect(database, folder, Windows.of(Settings()))
        done.set()

    troubling = asyncio.create_task(trouble())
    while not done.is_set():
        report = await stored.verify(database, folder, AT_ONCE)
        assert (report.missing, report.wrong, report.orphaned) == ([], [], [])
    await troubling


async def test_a_store_that_does_not_answer_makes_no_report(
    database: Database, repository: Repository, folder: FilesystemStore, real_s3: S3Server
) -> None:
    store = S3Store(real_s3.access("bucket", access_key_id="nobody"))
    await push(database, folder, repository, b"x")
    with pytest.raises(StoreUnavailable):
        await stored.verify(database, store, AT_ONCE)
    await store.close()


async def test_everything_is_carried_over_once(
    database: Database, repository: Repository, pair: tuple[Store, Store]
) -> None:
    source, target = pair
    contents = [bytes([number]) * 1000 for number in range(20)] + [b"", os.urandom(9 << 20)]
    blobs = [await push(database, source, repository, content) for content in contents]
    seen: list[int] = []
    moved = await stored.move(database, source, target, AT_ONCE, seen=seen.append)
    assert (moved.copied, moved.bytes, moved.is_complete) == (22, sum(map(len, contents)), True)
    for blob, content in zip(blobs, contents, strict=True):
        assert b"".join([chunk async for chunk in target.read(blob)]) == content
    again = await stored.move(database, source, target, AT_ONCE)
    assert (again.copied, again.present, again.is_complete) == (0, 22, True)
    assert (await stored.verify(database, target, AT_ONCE)).is_well


async def test_a_move_that_was_broken_off_goes_on(
    database: Database, repository: Repository, pair: tuple[Store, Store]
) -> None:
    source, target = pair
    for number in range(10):
        await push(database, source, repository, os.urandom(1000 + number))

    class Broken(Exception):
        pass

    def seen(_: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Broken

    left = 5
    with pytest.raises(Broken):
        await stored.move(database, source, target, 1, seen=seen)
    moved = await stored.move(database, source, target, AT_ONCE)
    assert moved.is_complete
    assert 0 < moved.copied < 10
    assert await target.stale_uploads(-60) == []


async def test_what_cannot_be_moved_is_told(
    database: Database, repository: Repository, folder: FilesystemStore, tmp_path: Path
) -> None:
    target = FilesystemStore(tmp_path / "target")
    missing, wrong = [await push(database, folder, repository, content) for content in (b"missing", b"wrong")]
    file_of(folder, missing).unlink()
    file_of(folder, wrong).write_bytes(b"WRONG")
    moved = await stored.move(database, folder, target, AT_ONCE)
    assert (moved.missing, moved.wrong, moved.is_complete) == ([missing], [wrong], False)
    assert [blob async for blob in target.blobs()] == []


async def test_an_upload_that_began_there_keeps_the_former_store(
    database: Database, repository: Repository, pair: tuple[Store, Store]
) -> None:
    import uuid

    from berth.store.contract import Written

    source, target = pair
    upload = uuid.uuid4()
    async with source.claim(upload) as draft:
        await draft.append(Written(), stream(b"under way"))
    moved = await stored.move(database, source, target, AT_ONCE)
    assert (moved.uploads, moved.is_complete) == (1, False)
    await source.abandon(upload)
    assert (await stored.move(database, source, target, AT_ONCE)).is_complete


async def test_nothing_is_lost_or_left_while_all_goes_on(
    database: Database, repository: Repository, pair: tuple[Store, Store]
) -> None:
    """Pushes, deletes and collections on the two, while the one is carried over to the other."""
    source, target = pair
    moving = MovingStore(target, source)
    kept = {number: os.urandom(2000) for number in range(30)}
    blobs = {number: await push(database, source, repository, content) for number, content in kept.items()}
    done = asyncio.Event()

    async def trouble() -> None:
        for number in range(0, 30, 3):
            await layers.unlink(database, repository, blobs[number].digest)
            await collection.collect(database, moving, Windows.of(Settings()))
            kept[number + 100] = os.urandom(2000)
            blobs[number + 100] = await push(database, moving, repository, kept[number + 100])
            if number % 2:
                await push(database, moving, repository, kept[number])
            else:
                del kept[number]
        done.set()

    troubling = asyncio.create_task(trouble())
    while not done.is_set():
        await stored.move(database, source, target, AT_ONCE)
    await troubling
    moved = await stored.move(database, source, target, AT_ONCE)
    assert moved.is_complete
    await collection.collect(database, moving, Windows.of(Settings()))
    assert {blob async for blob in target.blobs()} == {blobs[number] for number in kept}
    report = await stored.verify(database, target, AT_ONCE)
    assert (report.blobs, report.is_well, report.orphaned) == (len(kept), True, [])
