"""The store in a bucket, beyond what all stores promise: what becomes of it when the server is in trouble."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from berth.store.contract import DigestMismatch, Redirect, RemovalUnsettled, StoreUnavailable, UploadLost, Written
from berth.store.s3 import S3Store, removals, wire
from tests.s3_servers import S3Server
from tests.unit.store.stores import blob_of, complete, content_of, put, settle, stream, upload
from tests.unit.store.troubled_s3 import Trouble, TroubledS3, troubled

MIB = 1 << 20


@pytest.fixture
def bucket(real_s3: S3Server) -> str:
    return real_s3.make_bucket()


@pytest.fixture
async def store(real_s3: S3Server, bucket: str) -> AsyncIterator[S3Store]:
    store = S3Store(real_s3.access(bucket, "berth"))
    yield store
    await store.close()


@pytest.fixture
async def server(real_s3: S3Server) -> AsyncIterator[TroubledS3]:
    async with troubled(real_s3.endpoint) as server:
        yield server


@pytest.fixture
async def troubled_store(
    real_s3: S3Server, bucket: str, server: TroubledS3, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[S3Store]:
    monkeypatch.setattr(wire, "LONGEST_PAUSE_SECONDS", 0.05)
    store = S3Store(real_s3.access(bucket, "berth", endpoint=server.endpoint))
    yield store
    await store.close()


def is_part(request: web.Request) -> bool:
    return request.method == "PUT" and "partNumber" in request.query


def is_small_piece(request: web.Request) -> bool:
    return request.method == "PUT" and "/uploads/" in request.path and not request.query


def is_completion(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


def always(_request: web.Request) -> bool:
    return True


async def keys(store: S3Store, under: str = "uploads/") -> list[str]:
    await settle(store)
    listed = [listed.key async for listed in store._bucket.list(under)]
    return listed + [listed.key async for listed in store._bucket.list_multiparts("")]


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(is_part, 2),
        Trouble(is_part, 2, 503, "SlowDown"),
        Trouble(is_part, 2, 0),
        Trouble(is_part, 2, corrupts=True),
        Trouble(is_part, 1, 0, after=True),
        Trouble(is_completion, 2),
        Trouble(is_completion, 1, 0, after=True),
        Trouble(lambda request: request.method == "HEAD", 2, 503),
        Trouble(lambda request: "x-amz-copy-source" in request.headers, 2, 200),
        Trouble(lambda request: request.method == "DELETE", 2, 500),
    ],
)
async def test_a_push_goes_through_a_bad_moment(troubled_store: S3Store, server: TroubledS3, trouble: Trouble) -> None:
    server.troubles.append(trouble)
    content = os.urandom(20 * MIB)
    blob = await put(troubled_store, content)
    assert trouble.times == 0
    assert await content_of(troubled_store, blob) == content
    assert await keys(troubled_store) == []


@pytest.mark.parametrize(("status", "code", "is_settled"), [(0, "", False), (502, "", False), (503, "SlowDown", True)])
async def test_a_removal_is_sent_once_and_tells_whether_it_may_still_come(
    troubled_store: S3Store, server: TroubledS3, status: int, code: str, is_settled: bool
) -> None:
    blob = await put(troubled_store, b"content")
    before = server.seen["DELETE"]
    server.troubles.append(Trouble(lambda request: request.method == "DELETE", 1, status, code))
    with pytest.raises(StoreUnavailable) as caught:
        await troubled_store.remove(blob)
    assert isinstance(caught.value, RemovalUnsettled) is not is_settled
    assert server.seen["DELETE"] == before + 1
    await troubled_store.remove(blob)
    assert await troubled_store.size(blob) is None


async def test_a_removal_that_comes_late_is_refused(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed before it is confirmed, it has expired when whoever was held up meanwhile sends it."""
    monkeypatch.setattr(removals, "EXPIRES_SECONDS", 1)
    blob = await put(store, b"content")
    with pytest.raises(StoreUnavailable, match="403") as caught:
        await store.remove(blob, lambda: asyncio.sleep(2.5))
    assert not isinstance(caught.value, RemovalUnsettled)
    assert await content_of(store, blob) == b"content"


async def test_a_bit_that_is_lost_on_the_way_is_noticed(troubled_store: S3Store, server: TroubledS3) -> None:
    server.troubles.append(Trouble(is_small_piece, 2, corrupts=True))
    blob = await put(troubled_store, b"content")
    assert server.troubles[0].times == 0
    assert await content_of(troubled_store, blob) == b"content"


async def test_a_pull_goes_on_where_the_connection_broke(troubled_store: S3Store, server: TroubledS3) -> None:
    content = os.urandom(2 * MIB)
    blob = await put(troubled_store, content)
    server.troubles.append(Trouble(lambda request: request.method == "GET", 3, 0))
    assert await content_of(troubled_store, blob) == content
    read = b"".join([chunk async for chunk in troubled_store.read(blob, 10, MIB)])
    assert read == content[10 : MIB + 1]


async def test_the_whole_never_passes_for_a_part(troubled_store: S3Store, server: TroubledS3) -> None:
    """As from a server, or a proxy before it, that does not know ranges."""
    blob = await put(troubled_store, b"content")
    server.troubles.append(Trouble(lambda request: "Range" in request.headers, 1, 200))
    with pytest.raises(StoreUnavailable, match="a part of an object with all of it"):
        await anext(troubled_store.read(blob, 1, 3))


async def test_a_server_that_only_fails_is_unavailable_and_nothing_is_left(
    troubled_store: S3Store, server: TroubledS3
) -> None:
    server.troubles.append(Trouble(is_completion, wire.ATTEMPTS))
    with pytest.raises(StoreUnavailable, match="the store answers 500 InternalError to POST"):
        await upload(troubled_store, *[os.urandom(MIB)] * 20)
    assert await keys(troubled_store) == []
    server.troubles.append(Trouble(always, 1000, 503, "SlowDown"))
    with pytest.raises(StoreUnavailable, match="503 SlowDown"):
        await troubled_store.check()


async def test_a_server_that_is_not_there_is_unavailable(real_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_PAUSE_SECONDS", 0.01)
    store = S3Store(real_s3.access("bucket", endpoint="http://127.0.0.1:9"))
    for asked in (store.check(), store.size(blob_of(b"")), upload(store, b"x")):
        with pytest.raises(StoreUnavailable, match="the store does not answer"):
            await asked
    await store.close()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"bucket": "no-such-bucket"}, "NoSuchBucket.* make it, or correct BERTH_STORE"),
        ({"access_key_id": "nobody"}, "No user exists with the provided access key ID"),
        ({"secret_access_key": SecretStr("canary")}, "SignatureDoesNotMatch.* see BERTH_S3_SECRET_ACCESS_KEY"),
    ],
)
async def test_what_is_wrong_with_the_settings_is_told(
    real_s3: S3Server, bucket: str, given: dict[str, object], reason: str
) -> None:
    store = S3Store(real_s3.access(**{"bucket": bucket} | given))
    with pytest.raises(StoreUnavailable, match=reason) as told:
        await store.check()
    assert "canary" not in str(told.value)
    await store.close()


async def test_without_credentials_it_says_how_to_give_some(real_s3: S3Server, bucket: str) -> None:
    store = S3Store(real_s3.access(bucket, access_key_id=None, secret_access_key=None))
    with pytest.raises(StoreUnavailable, match="set BERTH_S3_ACCESS_KEY_ID and BERTH_S3_SECRET_ACCESS_KEY"):
        await store.check()
    await store.close()


async def test_the_standard_chain_finds_credentials(
    real_s3: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[store]\naws_access_key_id = {real_s3.access_key_id}\naws_secret_access_key = {real_s3.secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    store = S3Store(real_s3.access(bucket, access_key_id=None, secret_access_key=None, profile="store"))
    await store.check()
    await store.close()


async def test_of_two_writers_to_one_upload_the_row_decides(store: S3Store, real_s3: S3Server, bucket: str) -> None:
    """Both write; one's row is refused, so it leaves its claim by an exception."""
    rival = S3Store(real_s3.access(bucket, "berth"))
    made, written = await upload(store, b"first ")
    winner: list[Written] = []

    async def lose() -> None:
        async with rival.claim(made) as losing:
            lost = asyncio.create_task(losing.append(written, stream(b"rival ", b"x" * MIB)))
            async with store.claim(made) as draft:
                winner.append(await draft.append(written, stream(b"second")))
            await lost
            raise RuntimeError("the row says that another was faster")

    with pytest.raises(RuntimeError):
        await lose()
    await settle(rival)
    await complete(store, made, winner[0], blob_of(b"first second"))
    assert await content_of(rival, blob_of(b"first second")) == b"first second"
    assert await keys(store) == []
    await rival.close()


async def test_an_upload_is_read_where_no_process_knows_its_digest(store: S3Store) -> None:
    made, written = await upload(store, b"content")
    forgotten = Written(written.size, None, written.pieces)
    with pytest.raises(DigestMismatch):
        await complete(store, made, forgotten, blob_of(b"another"))
    await complete(store, made, forgotten, blob_of(b"content"))


async def test_an_upload_that_another_kind_of_store_has_is_lost_before_a_byte_is_taken(store: S3Store) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    with pytest.raises(UploadLost):
        async with store.claim(uuid.uuid4()) as draft:
            await draft.append(Written(5, None, ()), untouched())


async def test_a_large_piece_is_copied_in_parts(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("berth.store.s3.pieces.COPIED_PART_BYTES", 6 * MIB)
    monkeypatch.setattr("berth.store.s3.draft.COPIED_PART_BYTES", 6 * MIB)
    content = os.urandom(25 * MIB + 1)
    assert await content_of(store, await put(store, content)) == content


async def test_a_copy_that_was_broken_off_is_given_up_when_it_is_old(store: S3Store) -> None:
    from berth.store.s3.multipart import Multipart

    await Multipart.begin(store._bucket, "blobs/123456789012/us-east-1/sha256/ab/abcd", with_checksums=False)
    await store.stale_uploads(3600)
    assert len(await keys(store)) == 1
    await store.stale_uploads(-60)
    assert await keys(store) == []


async def test_clients_are_sent_to_the_bucket(store: S3Store) -> None:
    content = os.urandom(1000)
    place = await store.locate(await put(store, content))
    assert isinstance(place, Redirect)
    request = urllib.request.Request(place.url, headers={"Range": "bytes=10-19"})
    answer = await asyncio.to_thread(urllib.request.urlopen, request)
    with answer:
        assert (answer.status, answer.read()) == (206, content[10:20])
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, place.url.replace("Expires=1200", "Expires=120000"))
    refused.value.close()
    assert refused.value.code == 403


async def test_clients_that_know_the_server_by_another_name_are_sent_there(real_s3: S3Server, bucket: str) -> None:
    access = real_s3.access(bucket, endpoint="http://inside:9000", public_endpoint=real_s3.endpoint)
    store, here = S3Store(access), S3Store(real_s3.access(bucket))
    blob = await put(here, b"content")
    place = await store.locate(blob)
    assert isinstance(place, Redirect)
    answer = await asyncio.to_thread(urllib.request.urlopen, place.url)
    with answer:
        assert answer.read() == b"content"
    through = S3Store(real_s3.access(bucket, redirects=False))
    assert await through.locate(blob) is None
    for one in (store, here, through):
        await one.close()


MEASURE = """
import asyncio, resource, sys
from pydantic import SecretStr
from berth.store.contract import Blob, Written
from berth.names import Digest, Registry
from berth.store.s3 import Access, S3Store
import uuid

async def chunks(count):
    for _ in range(count):
        yield b"x" * (1 << 16)

async def main(endpoint, bucket, key, secret):
    store = S3Store(Access(bucket, endpoint=endpoint, access_key_id=key, secret_access_key=SecretStr(secret)))
    async with store.claim(uuid.uuid4()) as draft:
        await draft.append(Written(), chunks(1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = uuid.uuid4()
    async with store.claim(made) as draft:
        written = await draft.append(Written(), chunks(200 * 16))
    blob = Blob(Registry("123456789012", "us-east-1"), written.digest)
    async with store.claim(made) as draft:
        await draft.prepare(written, blob)
        await draft.place(written, blob)
    assert sum([len(chunk) async for chunk in store.read(blob)]) == 200 << 20
    await store.close()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

asyncio.run(main(*sys.argv[1:]))
"""


def test_a_large_layer_needs_little_memory(real_s3: S3Server, bucket: str) -> None:
    """Two parts of 8 MiB, and what lies in the buffers of connections; a push of 200 MiB, and a pull."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, real_s3.endpoint, bucket, real_s3.access_key_id, real_s3.secret],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert int(done.stdout) < 40
