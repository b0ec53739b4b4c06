"""The store in a folder: what is complete is durable and right, whoever else writes."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.names import Digest, Registry
from berth.store.contract import Blob, BlobLost, DigestMismatch, StoreUnavailable, UploadBusy, UploadLost, Written
from berth.store.filesystem import BUFFER_BYTES, FilesystemStore

REGISTRY = Registry("123456789012", "us-east-1")


def blob_of(content: bytes, algorithm: str = "sha256") -> Blob:
    return Blob(REGISTRY, Digest.of(content, algorithm))


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def upload(store: FilesystemStore, *chunks: bytes) -> tuple[uuid.UUID, Written]:
    made = uuid.uuid4()
    async with store.claim(made) as draft:
        written = await draft.append(Written(), stream(*chunks))
    assert written.size == sum(map(len, chunks))
    return made, written


async def complete(store: FilesystemStore, made: uuid.UUID, written: Written, blob: Blob) -> None:
    async with store.claim(made) as draft:
        await draft.prepare(written, blob)
        await draft.place(written, blob)


async def content_of(store: FilesystemStore, blob: Blob) -> bytes:
    return (await store.locate(blob)).read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "store")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_an_upload_becomes_a_blob_under_its_digest(store: FilesystemStore, algorithm: str) -> None:
    content = os.urandom(2 * BUFFER_BYTES + 5)
    made, written = await upload(store, content[:7], content[7:])
    blob = blob_of(content, algorithm)
    assert await store.size(blob) is None
    await complete(store, made, written, blob)
    assert await content_of(store, blob) == content
    assert await store.size(blob) == len(content)
    with pytest.raises(UploadLost):
        await complete(store, made, written, blob)


async def test_another_process_may_go_on_with_an_upload(store: FilesystemStore, tmp_path: Path) -> None:
    other = FilesystemStore(tmp_path / "store")
    made, written = await upload(store, b"first ")
    async with other.claim(made) as draft:
        written = await draft.append(written, stream(b"second "))
        assert written.size == 13
    async with store.claim(made) as draft:
        written = await draft.append(written, stream(b"third"))
    await complete(other, made, written, blob_of(b"first second third"))
    assert await content_of(store, blob_of(b"first second third")) == b"first second third"


async def test_another_process_completes_an_upload_without_reading_it(store: FilesystemStore, tmp_path: Path) -> None:
    """Its row tells the digest of what one process received."""
    made, written = await upload(store, b"whole")
    assert written.digest == Digest.of(b"whole")
    (tmp_path / "store" / "uploads" / str(made)).write_bytes(b"WHOLE")
    await complete(FilesystemStore(tmp_path / "store"), made, written, blob_of(b"whole"))


async def test_what_was_not_acknowledged_is_written_over_and_never_believed(
    store: FilesystemStore, tmp_path: Path
) -> None:
    """The claim was left by an exception: the row still says 6, and another process goes on from there."""
    other = FilesystemStore(tmp_path / "store")
    made, written = await upload(store, b"first ")

    async def append_and_fail() -> None:
        async with store.claim(made) as draft:
            await draft.append(written, stream(b"NEVER"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await append_and_fail()
    async with other.claim(made) as draft:
        grown = await draft.append(written, stream(b"truth"))
    with pytest.raises(DigestMismatch):
        await complete(store, made, grown, blob_of(b"first NEVER"))
    await complete(store, made, grown, blob_of(b"first truth"))
    assert await content_of(store, blob_of(b"first truth")) == b"first truth"


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


async def test_bytes_with_another_digest_never_become_a_blob(store: FilesystemStore) -> None:
    made, written = await upload(store, b"sent")
    with pytest.raises(DigestMismatch):
        await complete(store, made, written, blob_of(b"said"))
    assert await store.size(blob_of(b"said")) is None
    assert await store.size(blob_of(b"sent")) is None


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


async def test_the_blobs_are_those_that_were_completed(store: FilesystemStore) -> None:
    blobs = {blob_of(bytes([number])) for number in range(20)} | {blob_of(b"x", "sha512")}
    for number in range(20):
        await complete(store, *await upload(store, bytes([number])), blob_of(bytes([number])))
    await complete(store, *await upload(store, b"x"), blob_of(b"x", "sha512"))
    await upload(store, b"under way")
    assert {blob async for blob in store.blobs()} == blobs


@given(st.binary(max_size=50), st.integers(0, 60), st.none() | st.integers(0, 60))
async def test_a_range_is_read_like_a_slice(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, first: int, last: int | None
) -> None:
    store = FilesystemStore(tmp_path_factory.mktemp("range"))
    await complete(store, *await upload(store, content), blob_of(content))
    read = b"".join([chunk async for chunk in store.read(blob_of(content), first, last)])
    assert read == content[first : None if last is None else last + 1]


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


async def test_only_uploads_that_nothing_is_written_to_are_stale(store: FilesystemStore, tmp_path: Path) -> None:
    (old, _), (_new, _) = await upload(store, b"old"), await upload(store, b"new")
    then = time.time() - 1000
    os.utime(tmp_path / "store" / "uploads" / str(old), (then, then))
    assert await store.stale_uploads(500) == [old]


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


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 8))
async def test_any_chunks_in_any_number_of_requests_hash_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], split: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    first, second = FilesystemStore(folder), FilesystemStore(folder)
    made = uuid.uuid4()
    async with first.claim(made) as draft:
        written = await draft.append(Written(), stream(*chunks[:split]))
    async with (first if split % 2 else second).claim(made) as draft:
        written = await draft.append(written, stream(*chunks[split:]))
    whole = b"".join(chunks)
    assert written.digest in {None, Digest.of(whole)}
    await complete(second, made, written, blob_of(whole))
    assert await content_of(first, blob_of(whole)) == whole


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
