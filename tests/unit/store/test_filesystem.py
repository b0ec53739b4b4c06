"""The store in a folder: what is complete is durable and right, whoever else writes."""

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.names import Digest, Registry
from berth.store.contract import Blob, DigestMismatch, StoreUnavailable, UploadBusy, UploadLost
from berth.store.filesystem import BUFFER_BYTES, FilesystemStore

REGISTRY = Registry("123456789012", "us-east-1")


def blob_of(content: bytes, algorithm: str = "sha256") -> Blob:
    return Blob(REGISTRY, Digest.of(content, algorithm))


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def upload(store: FilesystemStore, *chunks: bytes) -> uuid.UUID:
    made = uuid.uuid4()
    await store.begin(made)
    async with store.claim(made) as draft:
        assert await draft.append(0, stream(*chunks)) == sum(map(len, chunks))
    return made


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "store")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_an_upload_becomes_a_blob_under_its_digest(store: FilesystemStore, algorithm: str) -> None:
    content = os.urandom(2 * BUFFER_BYTES + 5)
    made = await upload(store, content[:7], content[7:])
    blob = blob_of(content, algorithm)
    assert await store.size(blob) is None
    async with store.claim(made) as draft:
        await draft.complete(len(content), blob)
    assert store.path(blob).read_bytes() == content
    assert await store.size(blob) == len(content)
    with pytest.raises(UploadLost):
        async with store.claim(made):
            pass


async def test_another_process_may_go_on_with_an_upload(store: FilesystemStore, tmp_path: Path) -> None:
    other = FilesystemStore(tmp_path / "store")
    made = await upload(store, b"first ")
    async with other.claim(made) as draft:
        assert await draft.append(6, stream(b"second ")) == 13
    async with store.claim(made) as draft:
        assert await draft.append(13, stream(b"third")) == 18
        await draft.complete(18, blob_of(b"first second third"))
    assert store.path(blob_of(b"first second third")).read_bytes() == b"first second third"


async def test_what_was_not_acknowledged_is_written_over_and_never_believed(
    store: FilesystemStore, tmp_path: Path
) -> None:
    """The claim was left by an exception: the row still says 6, and another process goes on from there."""
    other = FilesystemStore(tmp_path / "store")
    made = await upload(store, b"first ")

    async def append_and_fail() -> None:
        async with store.claim(made) as draft:
            await draft.append(6, stream(b"NEVER"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await append_and_fail()
    async with other.claim(made) as draft:
        await draft.append(6, stream(b"truth"))
    async with store.claim(made) as draft:
        with pytest.raises(DigestMismatch):
            await draft.complete(11, blob_of(b"first NEVER"))
        await draft.complete(11, blob_of(b"first truth"))
    assert store.path(blob_of(b"first truth")).read_bytes() == b"first truth"


async def test_an_upload_is_one_requests_at_a_time_also_across_processes(
    store: FilesystemStore, tmp_path: Path
) -> None:
    made = await upload(store, b"x")
    for rival in (store, FilesystemStore(tmp_path / "store")):
        async with store.claim(made):
            with pytest.raises(UploadBusy):
                async with rival.claim(made):
                    pass
    async with store.claim(made):
        pass


async def test_bytes_with_another_digest_never_become_a_blob(store: FilesystemStore) -> None:
    made = await upload(store, b"sent")
    async with store.claim(made) as draft:
        with pytest.raises(DigestMismatch):
            await draft.complete(4, blob_of(b"said"))
    assert await store.size(blob_of(b"said")) is None
    assert await store.size(blob_of(b"sent")) is None


async def test_a_blob_that_is_pushed_again_stays_whole_under_its_readers(store: FilesystemStore) -> None:
    content = os.urandom(100_000)
    blob = blob_of(content)
    made = await upload(store, content)
    async with store.claim(made) as draft:
        await draft.complete(len(content), blob)
    with store.path(blob).open("rb") as reader:
        begun = reader.read(1000)
        made = await upload(store, content)
        async with store.claim(made) as draft:
            await draft.complete(len(content), blob)
        assert begun + reader.read() == content
    assert store.path(blob).read_bytes() == content


async def test_an_abandoned_upload_leaves_no_byte_and_may_be_abandoned_again(
    store: FilesystemStore, tmp_path: Path
) -> None:
    made = await upload(store, b"x")
    for _ in range(2):
        await store.abandon(made)
    assert [file for file in (tmp_path / "store").rglob("*") if file.is_file()] == []


async def test_a_sweep_takes_only_what_is_old(store: FilesystemStore, tmp_path: Path) -> None:
    old, new = await upload(store, b"old"), await upload(store, b"new")
    then = time.time() - 1000
    os.utime(tmp_path / "store" / "uploads" / str(old), (then, then))
    assert await store.sweep(500) == 1
    async with store.claim(new):
        pass
    with pytest.raises(UploadLost):
        async with store.claim(old):
            pass


async def test_a_broken_stream_leaves_no_thread_writing(store: FilesystemStore) -> None:
    made = uuid.uuid4()
    await store.begin(made)

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * BUFFER_BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with store.claim(made) as draft:
            await draft.append(0, broken())
    async with store.claim(made) as draft:
        assert await draft.append(0, stream(b"again")) == 5
        await draft.complete(5, blob_of(b"again"))


async def test_a_disk_that_refuses_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    store = FilesystemStore(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        await store.check()
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        await store.begin(uuid.uuid4())


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 8))
async def test_any_chunks_in_any_number_of_requests_hash_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], split: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    first, second = FilesystemStore(folder), FilesystemStore(folder)
    made = uuid.uuid4()
    await first.begin(made)
    async with first.claim(made) as draft:
        received = await draft.append(0, stream(*chunks[:split]))
    async with (first if split % 2 else second).claim(made) as draft:
        received = await draft.append(received, stream(*chunks[split:]))
        expected = hashlib.sha256(b"".join(chunks)).hexdigest()
        assert await draft.digest(received, "sha256") == f"sha256:{expected}"


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
    await store.begin(made)
    async with store.claim(made) as draft:
        assert await draft.append(0, source()) == 16 * BUFFER_BYTES
