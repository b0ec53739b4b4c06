"""Pushing and pulling blobs over a real socket."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from berth.names import Digest, Registry
from berth.settings import Settings
from berth.store.contract import Blob
from berth.store.filesystem import FilesystemStore
from tests.integration.dataplane.conftest import RegistryClient, sha256

Make = Callable[..., Awaitable[object]]


async def begin(client: RegistryClient, name: str = "team/app") -> str:
    answer = await client.send("POST", f"{name}/blobs/uploads/")
    assert answer.status == 202
    assert answer.headers["Range"] == "0-0"
    return str(answer.headers["Location"])


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * 1024 * 1024 + 17])
async def test_a_blob_pushed_in_one_request_is_pulled_byte_for_byte(
    client: RegistryClient, make_repository: Make, size: int
) -> None:
    await make_repository("team/app")
    content = os.urandom(size)
    digest = await client.push_blob("team/app", content)
    pulled = await client.send("GET", f"team/app/blobs/{digest}")
    assert (pulled.status, pulled.body) == (200, content)
    assert pulled.headers["Docker-Content-Digest"] == digest
    head = await client.send("HEAD", f"team/app/blobs/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, str(size))


async def test_a_streamed_push_of_unknown_length_is_pulled_byte_for_byte(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    pieces = [os.urandom(300_000) for _ in range(9)]

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    location = await begin(client)
    patched = await client.send("PATCH", location, data=stream())
    assert (patched.status, patched.headers["Range"]) == (202, f"0-{9 * 300_000 - 1}")
    digest = sha256(b"".join(pieces))
    put = await client.send("PUT", f"{patched.headers['Location']}?digest={digest}")
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, digest)
    pulled = await client.send("GET", str(put.headers["Location"]))
    assert pulled.body == b"".join(pieces)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_chunks_in_order_become_the_blob_and_the_last_may_come_with_the_digest(
    client: RegistryClient, make_repository: Make, algorithm: str
) -> None:
    await make_repository("team/app")
    chunks = [os.urandom(1000), os.urandom(2_000_000), os.urandom(7)]
    location = await begin(client)
    first = 0
    for chunk in chunks[:2]:
        headers = {"Content-Range": f"{first}-{first + len(chunk) - 1}"}
        answer = await client.send("PATCH", location, data=chunk, headers=headers)
        assert answer.status == 202
        first += len(chunk)
    status = await client.send("GET", location)
    assert (status.status, status.headers["Range"]) == (204, f"0-{first - 1}")
    digest = f"{algorithm}:{hashlib.new(algorithm, b''.join(chunks)).hexdigest()}"
    headers = {"Content-Range": f"{first}-{first + len(chunks[2]) - 1}"}
    put = await client.send("PUT", f"{location}?digest={digest}", data=chunks[2], headers=headers)
    assert put.status == 201, put
    assert (await client.send("GET", f"team/app/blobs/{digest}")).body == b"".join(chunks)
    assert (await client.send("GET", location)).error["code"] == "BLOB_UPLOAD_UNKNOWN"


async def test_a_chunk_out_of_order_is_refused_and_told_where_the_upload_goes_on(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    location = await begin(client)
    await client.send("PATCH", location, data=b"0123456789", headers={"Content-Range": "0-9"})
    for claimed in ("5-9", "11-15", "0-4"):
        answer = await client.send("PATCH", location, data=b"abcde", headers={"Content-Range": claimed})
        assert (answer.status, answer.headers["Range"]) == (416, "0-9")
        assert answer.error["code"] == "BLOB_UPLOAD_INVALID"
    digest = sha256(b"0123456789")
    assert (await client.send("PUT", f"{location}?digest={digest}")).status == 201


async def test_a_chunk_that_breaks_off_leaves_what_was_acknowledged(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    location = await begin(client)
    await client.send("PATCH", location, data=b"kept")

    async def broken() -> AsyncIterator[bytes]:
        yield b"lost" * 500_000
        raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017
        await client.send("PATCH", location, data=broken())
    for _ in range(100):
        answer = await client.send("PATCH", location, data=b", and continued")
        if answer.status != 409:
            break
        await asyncio.sleep(0.05)
    assert answer.headers["Range"] == f"0-{len(b'kept, and continued') - 1}"
    digest = sha256(b"kept, and continued")
    assert (await client.send("PUT", f"{location}?digest={digest}")).status == 201
    assert (await client.send("GET", f"team/app/blobs/{digest}")).body == b"kept, and continued"


async def test_of_two_requests_that_write_to_one_upload_at_once_one_is_told_to_wait(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    location = await begin(client)
    under_way = asyncio.Event()
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        under_way.set()
        await go_on.wait()
        yield b"b"

    first = asyncio.create_task(client.send("PATCH", location, data=slow()))
    await under_way.wait()
    for _ in range(100):
        second = await client.send("PATCH", location, data=b"x")
        if second.status == 409:
            break
        if first.done():
            # It came while the other one was writing: then it was the one to be told to wait.
            first = asyncio.create_task(client.send("PATCH", location, data=slow()))
        await asyncio.sleep(0.02)
    assert second.status == 409
    go_on.set()
    assert (await first).status == 202


async def test_content_with_another_digest_is_refused_and_not_kept(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    said = sha256(b"what was said")
    answer = await client.send("POST", f"team/app/blobs/uploads/?digest={said}", data=b"what was sent")
    assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")
    location = await begin(client)
    await client.send("PATCH", location, data=b"what was sent")
    answer = await client.send("PUT", f"{location}?digest={said}")
    assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")
    assert (await client.send("HEAD", f"team/app/blobs/{said}")).status == 404


@pytest.mark.parametrize(
    ("header", "expected"),
    [("bytes=0-0", b"0"), ("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=5-99", b"56789")],
)
async def test_a_range_of_a_blob_is_sent_alone(
    client: RegistryClient, make_repository: Make, header: str, expected: bytes
) -> None:
    await make_repository("team/app")
    digest = await client.push_blob("team/app", b"0123456789")
    answer = await client.send("GET", f"team/app/blobs/{digest}", headers={"Range": header})
    assert (answer.status, answer.body) == (206, expected)


async def test_a_blob_is_mounted_from_a_repository_that_holds_it_without_copying_a_byte(
    client: RegistryClient, make_repository: Make, registry: Registry, settings: Settings
) -> None:
    await make_repository("team/base")
    await make_repository("team/app")
    digest = await client.push_blob("team/base", b"mounted" * 100)
    file = await FilesystemStore(settings.store_folder).locate(Blob(registry, Digest.parse(digest)))
    before = file.stat()
    path = f"team/app/blobs/uploads/?mount={digest}&from={registry.account}/{registry.region}/team/base"
    answer = await client.send("POST", path)
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert (await client.send("GET", f"team/app/blobs/{digest}")).body == b"mounted" * 100
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("source", ["ACCOUNT/us-east-1/team/missing", "123456789012/us-east-1/team/base", "team/x", ""])
async def test_a_mount_from_where_the_blob_cannot_be_read_begins_an_upload(
    client: RegistryClient, make_repository: Make, registry: Registry, source: str
) -> None:
    await make_repository("team/app")
    digest = sha256(b"nowhere")
    path = f"team/app/blobs/uploads/?mount={digest}&from={source.replace('ACCOUNT', registry.account)}"
    answer = await client.send("POST", path)
    assert (answer.status, answer.headers["Range"]) == (202, "0-0")


async def test_a_blob_of_one_repository_is_not_seen_in_another(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/one")
    await make_repository("team/two")
    digest = await client.push_blob("team/one", b"of one")
    answer = await client.send("GET", f"team/two/blobs/{digest}")
    assert (answer.status, answer.error["code"]) == (404, "BLOB_UNKNOWN")


async def test_a_blob_is_deleted_unless_an_image_needs_it(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/app")
    _, document = await client.push_image("team/app", "v1")
    needed = document["layers"][0]["digest"]
    assert (await client.send("DELETE", f"team/app/blobs/{needed}")).error["code"] == "DENIED"
    alone = await client.push_blob("team/app", b"alone")
    assert (await client.send("DELETE", f"team/app/blobs/{alone}")).status == 202
    assert (await client.send("GET", f"team/app/blobs/{alone}")).status == 404
    assert (await client.send("DELETE", f"team/app/blobs/{alone}")).status == 404


async def test_an_upload_that_is_cancelled_is_gone(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/app")
    location = await begin(client)
    assert (await client.send("DELETE", location)).status == 204
    assert (await client.send("PATCH", location, data=b"x")).error["code"] == "BLOB_UPLOAD_UNKNOWN"


async def test_an_upload_is_not_reached_from_another_repository(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/one")
    await make_repository("team/two")
    location = await begin(client, "team/one")
    answer = await client.send("PATCH", location.replace("team/one", "team/two"), data=b"x")
    assert (answer.status, answer.error["code"]) == (404, "BLOB_UPLOAD_UNKNOWN")


async def test_a_blob_is_named_by_its_digest_whatever_the_condition(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    digest = await client.push_blob("team/app", b"0123456789")
    tag = f'"{digest}"'
    for headers, status in (
        ({}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"another"'}, 412),
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": '"another"'}, 200),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"Range": "bytes=0-1", "If-Range": tag}, 206),
    ):
        answer = await client.send("GET", f"team/app/blobs/{digest}", headers=headers)
        assert answer.status == status, headers
        assert answer.status == 412 or answer.headers["ETag"] == tag
    assert (await client.send("HEAD", f"team/app/blobs/{digest}")).headers["ETag"] == tag
