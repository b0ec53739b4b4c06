"""The store in a folder, beyond what all stores promise: its files, its locks, what it leaves on the disk."""

import asyncio
import errno
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from berth.names import Digest
from berth.store.contract import BlobLost, BlobUnreadable, StoreUnavailable, UploadBusy, UploadLost, Written
from berth.store.filesystem import FilesystemStore, reserve
from berth.store.filesystem import store as filesystem
from berth.store.filesystem.writing import BUFFER_BYTES
from tests.unit.store.stores import blob_of, complete, content_of, stream, upload


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "store")


async def test_another_process_completes_an_upload_without_reading_it(store: FilesystemStore, tmp_path: Path) -> None:
    """Its row tells the digest of what one process received."""
    made, written = await upload(store, b"whole")
    assert written.digest == Digest.of(b"whole")
    (tmp_path / "store" / "uploads" / str(made)).write_bytes(b"WHOLE")
    await complete(FilesystemStore(tmp_path / "store"), made, written, blob_of(b"whole"))


async def test_an_upload_is_one_requests_at_a_time_also_across_processes(
    store: FilesystemStore, tmp_path: Path
) -> None:
    made, _ = await upload(store, b"x")
    for rival in (store, FilesystemStore(tmp_path / "store")):
        async with store.claim(made):
            with pytest.raises(UploadBusy):
                async with rival.claim(made):
                    pass
    async with store.claim(made):
        pass


async def test_a_blob_that_is_pushed_again_stays_whole_under_its_readers(store: FilesystemStore) -> None:
    content = os.urandom(100_000)
    blob = blob_of(content)
    await complete(store, *await upload(store, content), blob)
    with (await store.locate(blob)).open("rb") as reader:
        begun = reader.read(1000)
        await complete(store, *await upload(store, content), blob)
        assert begun + reader.read() == content
    assert await content_of(store, blob) == content


async def test_a_removed_blob_is_gone_but_for_those_who_read_it(store: FilesystemStore) -> None:
    content = os.urandom(3 * BUFFER_BYTES)
    blob = blob_of(content)
    await complete(store, *await upload(store, content), blob)
    reading = store.read(blob)
    begun = await anext(reading)
    for _ in range(2):
        await store.remove(blob)
    assert await store.size(blob) is None
    assert begun + b"".join([chunk async for chunk in reading]) == content
    with pytest.raises(BlobLost):
        await anext(store.read(blob))


async def test_an_upload_that_nothing_was_written_to_leaves_no_file(store: FilesystemStore, tmp_path: Path) -> None:
    async with store.claim(uuid.uuid4()):
        pass
    assert [file for file in (tmp_path / "store").rglob("*") if file.is_file()] == []


async def test_an_abandoned_upload_leaves_no_byte_and_may_be_abandoned_again(
    store: FilesystemStore, tmp_path: Path
) -> None:
    made, _ = await upload(store, b"x")
    for _ in range(2):
        await store.abandon(made)
    assert [file for file in (tmp_path / "store").rglob("*") if file.is_file()] == []


async def test_an_upload_that_expires_at_its_end_is_lost_and_no_other_file_becomes_the_blob(
    store: FilesystemStore, tmp_path: Path
) -> None:
    made, written = await upload(store, b"whole")
    async with store.claim(made) as draft:
        await draft.prepare(written, blob_of(b"whole"))
        await store.abandon(made)
        # As another request has it, until it finds that there is no such upload.
        (tmp_path / "store" / "uploads" / str(made)).touch()
        with pytest.raises(UploadLost):
            await draft.place(written, blob_of(b"whole"))
    assert await store.size(blob_of(b"whole")) is None


async def test_only_uploads_that_nothing_is_written_to_are_stale(store: FilesystemStore, tmp_path: Path) -> None:
    (old, _), (_new, _) = await upload(store, b"old"), await upload(store, b"new")
    then = time.time() - 1000
    os.utime(tmp_path / "store" / "uploads" / str(old), (then, then))
    assert await store.stale_uploads(500) == [old]


async def test_a_broken_stream_gives_its_room_back(store: FilesystemStore, tmp_path: Path) -> None:
    """Though nobody goes on with the upload, or says that it is over: on a full disk that would be room for others."""
    made, written = await upload(store, b"kept")

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 2 * BUFFER_BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with store.claim(made) as draft:
            await draft.append(written, broken())
    assert (tmp_path / "store" / "uploads" / str(made)).read_bytes() == b"kept"


async def test_who_is_cancelled_gives_the_descriptor_up_when_no_thread_uses_it(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the thread would cut, or sync, the file that has its number by then."""
    made, written = await upload(store, b"whole")
    begun, may_go_on, synced = threading.Event(), threading.Event(), []

    def slow_sync(descriptor: int) -> None:
        begun.set()
        assert may_go_on.wait(10)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", slow_sync)
    completing = asyncio.create_task(complete(store, made, written, blob_of(b"whole")))
    assert await asyncio.to_thread(begun.wait, 10)
    completing.cancel()
    await asyncio.sleep(0.05)
    assert not completing.done()
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await completing
    assert synced[0] == len(b"whole")


async def test_a_removal_that_is_cancelled_is_over_before_its_lock_is_given_back(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it might come after the next push of the same bytes."""
    blob = blob_of(b"bytes")
    await complete(store, *await upload(store, b"bytes"), blob)
    begun, may_go_on = threading.Event(), threading.Event()
    unlink = Path.unlink

    def slow_unlink(self: Path, missing_ok: bool = False) -> None:
        begun.set()
        assert may_go_on.wait(10)
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", slow_unlink)
    removing = asyncio.create_task(store.remove(blob))
    assert await asyncio.to_thread(begun.wait, 10)
    removing.cancel()
    made, written = await upload(store, b"bytes")
    placing = asyncio.create_task(complete(store, made, written, blob))
    await asyncio.sleep(0.05)
    assert not placing.done()
    may_go_on.set()
    await placing
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert await content_of(store, blob) == b"bytes"


async def test_blobs_are_listed_while_others_and_their_folders_go(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "LISTED_AT_ONCE", 1)
    blobs = {blob_of(bytes([number])) for number in range(20)}
    for number in range(20):
        await complete(store, *await upload(store, bytes([number])), blob_of(bytes([number])))
    listing = store.blobs()
    first = await anext(listing)
    for blob in blobs - {first}:
        await store.remove(blob)
    assert [blob async for blob in listing if blob not in blobs] == []


async def test_it_is_found_usable_by_any_number_at_once(store: FilesystemStore) -> None:
    """Also by processes of one number, each in a container of its own."""
    await asyncio.gather(*[store.check() for _ in range(200)])


async def test_a_broken_stream_leaves_no_thread_writing(store: FilesystemStore) -> None:
    made = uuid.uuid4()

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * BUFFER_BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with store.claim(made) as draft:
            await draft.append(Written(), broken())
    async with store.claim(made) as draft:
        written = await draft.append(Written(), stream(b"again"))
    assert written.size == 5
    await complete(store, made, written, blob_of(b"again"))


async def test_a_disk_that_refuses_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    store = FilesystemStore(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        await store.check()
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        async with store.claim(uuid.uuid4()):
            pass


async def test_appending_needs_no_more_memory_than_a_few_buffers(store: FilesystemStore) -> None:
    """What is read ahead of the disk is bounded, however slow the disk is."""
    taken = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += BUFFER_BYTES // 4
            yield b"\0" * (BUFFER_BYTES // 4)
            written = (store._uploads / str(made)).stat().st_size
            assert taken - written <= 3 * BUFFER_BYTES
            await asyncio.sleep(0)

    made = uuid.uuid4()
    async with store.claim(made) as draft:
        assert (await draft.append(Written(), source())).size == 16 * BUFFER_BYTES


def tell_of_disk(patch: pytest.MonkeyPatch, size: int, *free: int) -> None:
    """Have each look at the disk find it of so many bytes, of which so many are free; the last again and again."""
    found = iter(free)
    last = free[-1]
    patch.setattr(
        reserve.os,
        "fstatvfs",
        lambda _: SimpleNamespace(f_frsize=1024, f_blocks=size >> 10, f_bavail=next(found, last) >> 10),
    )


GIB = 1 << 30
MIB = 1 << 20


@pytest.mark.parametrize(("size", "kept"), [(GIB, GIB // 20), (100 * GIB, 256 * MIB)])
async def test_some_room_is_left_on_the_disk(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch, size: int, kept: int
) -> None:
    tell_of_disk(monkeypatch, size, kept + 2048)
    await upload(store, b"x" * 1024)
    with pytest.raises(StoreUnavailable, match="the store is full"):
        await upload(store, b"x" * 4096)
    # Nothing is written by it: what is there can be completed.
    await upload(store)


async def test_an_upload_stops_where_the_disk_fills_and_gives_its_room_back(
    store: FilesystemStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, written = await upload(store, b"kept")
    tell_of_disk(monkeypatch, GIB, GIB // 2, GIB // 2, GIB // 20)
    with pytest.raises(StoreUnavailable, match="the last 51 MiB of its disk are kept"):
        async with store.claim(made) as draft:
            await draft.append(written, stream(*[b"x" * MIB] * 100))
    assert (tmp_path / "store" / "uploads" / str(made)).read_bytes() == b"kept"


async def test_a_disk_that_does_not_tell_its_size_is_written_to(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_of_disk(monkeypatch, 0, 0)
    await upload(store, b"x")


async def test_a_folder_that_is_none_is_unavailable(store: FilesystemStore, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "uploads").write_text("no folder")
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        await store.abandon(uuid.uuid4())
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        await store.stale_uploads(0)


@pytest.mark.parametrize(("number", "raised"), [(errno.EIO, BlobUnreadable), (errno.EMFILE, StoreUnavailable)])
async def test_whatever_the_disk_answers_a_reader_it_is_unavailable(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
) -> None:
    """And where it is only this blob that cannot be read, that is told."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "a fault", "/a/path")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", fail)
        patch.setattr(Path, "open", fail)
        with pytest.raises(StoreUnavailable) as size:
            await store.size(blob_of(b"x"))
        with pytest.raises(StoreUnavailable) as read:
            await content_of(store, blob_of(b"x"))
    assert (type(size.value), type(read.value)) == (StoreUnavailable, raised)
    assert "/a/path" not in f"{size.value} {read.value}"
