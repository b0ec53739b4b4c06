"""What every store promises: berth.store.contract, held by each of them."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from berth.names import Digest
from berth.store.contract import BlobLost, DigestMismatch, Store, UploadLost, Written
from tests.unit.store.stores import Kind, blob_of, complete, content_of, put, settle, stream, upload

MIB = 1 << 20
# Each example has a place of its own in the one store of the test.
few = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_an_upload_becomes_a_blob_under_its_digest(store: Store, algorithm: str) -> None:
    content = os.urandom(9 * MIB + 5)
    made, written = await upload(store, content[:7], content[7:])
    blob = blob_of(content, algorithm)
    assert await store.size(blob) is None
    await complete(store, made, written, blob)
    assert await content_of(store, blob) == content
    assert await store.size(blob) == len(content)
    with pytest.raises(UploadLost):
        await complete(store, made, written, blob)


@pytest.mark.parametrize("size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB])
async def test_a_blob_of_any_size_is_whole(store: Store, size: int) -> None:
    content = os.urandom(size)
    blob = await put(store, content)
    assert await content_of(store, blob) == content
    assert await store.size(blob) == size


async def test_another_process_may_go_on_with_an_upload(store: Store, other: Store) -> None:
    made, written = await upload(store, b"first ")
    async with other.claim(made) as draft:
        written = await draft.append(written, stream(b"second "))
        assert written.size == 13
    async with store.claim(made) as draft:
        written = await draft.append(written, stream(b"third"))
    await complete(other, made, written, blob_of(b"first second third"))
    assert await content_of(store, blob_of(b"first second third")) == b"first second third"


async def test_an_upload_may_come_in_parts_of_any_size(store: Store, other: Store) -> None:
    """The ECR API's are of 5 to 10 MiB, a client's of any; of a multipart upload only the last may be small."""
    sizes = [5 * MIB, 5 * MIB, 10 * MIB, 1, 1, 6 * MIB, 3 * MIB, 3 * MIB, 9]
    parts = [os.urandom(size) for size in sizes]
    made, written = await upload(store, parts[0])
    for number, part in enumerate(parts[1:]):
        async with (store if number % 3 else other).claim(made) as draft:
            written = await draft.append(written, stream(part[:1000], part[1000:]))
    whole = b"".join(parts)
    await complete(other, made, written, blob_of(whole))
    assert await content_of(store, blob_of(whole)) == whole


async def test_what_was_not_acknowledged_is_written_over_and_never_believed(store: Store, other: Store) -> None:
    """The claim was left by an exception: the row still says 6, and another process goes on from there."""
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


async def test_bytes_with_another_digest_never_become_a_blob(store: Store) -> None:
    made, written = await upload(store, b"sent")
    with pytest.raises(DigestMismatch):
        await complete(store, made, written, blob_of(b"said"))
    assert await store.size(blob_of(b"said")) is None
    assert await store.size(blob_of(b"sent")) is None
    # It is as it was: who named the wrong digest may name the right one.
    await complete(store, made, written, blob_of(b"sent"))


async def test_bytes_that_were_removed_after_they_were_made_ready_are_there_again(store: Store) -> None:
    """As by the collector, to whom nobody seemed to need the blob until its row was held."""
    content = os.urandom(1000)
    blob = await put(store, content)
    made, written = await upload(store, content)
    async with store.claim(made) as draft:
        await draft.prepare(written, blob)
        await store.remove(blob)
        await draft.place(written, blob)
    assert await content_of(store, blob) == content


async def test_a_completion_that_is_taken_back_leaves_the_upload_as_it_was(store: Store) -> None:
    made, written = await upload(store, b"content")

    async def complete_and_fail() -> None:
        async with store.claim(made) as draft:
            await draft.prepare(written, blob_of(b"content"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await complete_and_fail()
    await complete(store, made, written, blob_of(b"content"))
    assert await content_of(store, blob_of(b"content")) == b"content"


async def test_a_removed_blob_is_gone(store: Store) -> None:
    blob = await put(store, os.urandom(1000))
    for _ in range(2):
        await store.remove(blob)
    assert await store.size(blob) is None
    with pytest.raises(BlobLost):
        await anext(aiter(store.read(blob)))


async def test_the_blobs_are_those_that_were_completed(store: Store) -> None:
    blobs = {await put(store, bytes([number])) for number in range(20)} | {await put(store, b"x", "sha512")}
    await upload(store, b"under way")
    assert {blob async for blob in store.blobs()} == blobs


@few
@given(st.binary(max_size=50), st.integers(0, 60), st.none() | st.integers(0, 60))
async def test_a_range_is_read_like_a_slice(kind: Kind, content: bytes, first: int, last: int | None) -> None:
    store = kind.open()
    blob = await put(store, content)
    read = b"".join([chunk async for chunk in store.read(blob, first, last)])
    assert read == content[first : None if last is None else last + 1]


async def test_what_is_read_comes_in_chunks_of_at_most_a_mebibyte(store: Store) -> None:
    blob = await put(store, os.urandom(5 * MIB))
    assert max([len(chunk) async for chunk in store.read(blob)]) <= MIB


async def test_an_abandoned_upload_may_be_abandoned_again(store: Store) -> None:
    made, written = await upload(store, b"x")
    for _ in range(2):
        await store.abandon(made)
    assert await store.stale_uploads(-60) == []
    with pytest.raises(UploadLost):
        await complete(store, made, written, blob_of(b"x"))
    with pytest.raises(UploadLost):
        async with store.claim(made) as draft:
            await draft.append(written, stream(b"y"))


async def test_only_uploads_with_bytes_are_stale(store: Store) -> None:
    made, _ = await upload(store, b"x")
    async with store.claim(uuid.uuid4()):
        pass
    await put(store, b"done")
    assert await store.stale_uploads(3600) == []
    assert await store.stale_uploads(-60) == [made]


async def test_a_broken_stream_leaves_nothing(store: Store) -> None:
    made = uuid.uuid4()

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * MIB
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with store.claim(made) as draft:
            await draft.append(Written(), broken())
    await settle(store)
    async with store.claim(made) as draft:
        written = await draft.append(Written(), stream(b"again"))
    assert written.size == 5
    await complete(store, made, written, blob_of(b"again"))
    assert await store.stale_uploads(-60) == []


async def test_a_request_that_is_broken_off_leaves_nothing_acknowledged(store: Store) -> None:
    made, begun = uuid.uuid4(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB
            begun.set()
            await asyncio.sleep(0.01)

    async def append() -> None:
        async with store.claim(made) as draft:
            await draft.append(Written(), endless())

    appending = asyncio.create_task(append())
    await begun.wait()
    await asyncio.sleep(0.3)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending
    await settle(store)
    async with store.claim(made) as draft:
        written = await draft.append(Written(), stream(b"again"))
    await complete(store, made, written, blob_of(b"again"))
    assert await store.stale_uploads(-60) == []


@few
@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 8))
async def test_any_chunks_in_any_number_of_requests_hash_to_the_whole(
    kind: Kind, chunks: list[bytes], split: int
) -> None:
    first, second = kind.open(), kind.open()
    made = uuid.uuid4()
    async with first.claim(made) as draft:
        written = await draft.append(Written(), stream(*chunks[:split]))
    async with (first if split % 2 else second).claim(made) as draft:
        written = await draft.append(written, stream(*chunks[split:]))
    whole = b"".join(chunks)
    assert written.digest in {None, Digest.of(whole)}
    await complete(second, made, written, blob_of(whole))
    assert await content_of(first, blob_of(whole)) == whole


async def test_a_store_that_can_be_written_to_says_so(store: Store) -> None:
    for _ in range(2):
        await store.check()
    assert {blob async for blob in store.blobs()} == set()
    assert await store.stale_uploads(-60) == []
