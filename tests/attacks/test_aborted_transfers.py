"""Thousands of clients that hang up in the middle of a pull or a push leave no descriptor, file or memory behind."""

import asyncio
import contextlib
import gc
import os
import socket
import struct

import pytest

from berth.settings import Settings
from tests.attacks.conftest import MakeRepository
from tests.integration.bad_input.wire import request
from tests.integration.dataplane.conftest import RegistryClient

MIB = 1024 * 1024
ABORTED = 2000
AT_ONCE = 50
SETTLE_SECONDS = 60
# What the allocator and Python's caches may keep; a leak of a buffer of 64 KiB each would be 125 MiB.
MOST_GROWTH = 48 * MIB
# Connections to PostgreSQL that are opened when many ask at once, and kept.
KEPT_DESCRIPTORS = 40

pytestmark = [
    pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="descriptors are counted in /proc"),
    pytest.mark.timeout(600),
    pytest.mark.no_cover,
]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def abort(address: str, sent: bytes, *, read: int, reset: bool) -> None:
    """Send, read that much of the answer, and hang up: by RST, or as one does who has what he wanted."""
    reader, writer = await asyncio.open_connection(*address.rsplit(":", 1), limit=4096)
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(sent)
        await writer.drain()
        await reader.readexactly(read)
    if reset:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def settled(before: int) -> int:
    """How many descriptors there are more than `before`, once the server has noticed that nobody is there."""
    for _ in range(SETTLE_SECONDS * 10):
        gc.collect()
        if descriptors() - before < KEPT_DESCRIPTORS:
            break
        await asyncio.sleep(0.1)
    return descriptors() - before


def head(client: RegistryClient, method: str, path: str, **more: str) -> bytes:
    headers: dict[str, str | None] = {
        "Host": client.base.removeprefix("http://"),
        "Authorization": client.session.headers["Authorization"],
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return request(method, f"{client.prefix}/{path}", headers)


async def run(client: RegistryClient, sent: list[bytes], *, read: int) -> None:
    address = client.base.removeprefix("http://")
    for start in range(0, len(sent), AT_ONCE):
        batch = sent[start : start + AT_ONCE]
        await asyncio.gather(
            *(abort(address, one, read=read, reset=number % 2 == 0) for number, one in enumerate(batch))
        )


async def check(client: RegistryClient, sent: list[bytes], *, read: int) -> None:
    await run(client, sent[: 4 * AT_ONCE], read=read)
    await settled(0)
    files, memory = descriptors(), resident()
    await run(client, sent[4 * AT_ONCE :], read=read)
    assert await settled(files) < KEPT_DESCRIPTORS
    assert resident() - memory < MOST_GROWTH


async def test_aborted_pulls_leave_nothing(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    content = os.urandom(8 * MIB)
    digest = await client.push_blob("app", content)
    asked = [head(client, "GET", f"app/blobs/{digest}"), head(client, "GET", f"app/blobs/{digest}", Range="bytes=5-")]
    await check(client, [asked[number % 2] for number in range(ABORTED)], read=1000)
    assert (await client.send("GET", f"app/blobs/{digest}")).body == content


async def test_aborted_pushes_leave_nothing(
    client: RegistryClient, make_repository: MakeRepository, settings: Settings
) -> None:
    await make_repository("app")
    whole = await client.push_blob("app", b"whole")
    upload = (await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"]
    absent = f"sha256:{'0' * 64}"
    asked = [
        head(client, "POST", f"app/blobs/uploads/?digest={absent}", Content_Length=str(MIB)) + b"x" * 200_000,
        head(client, "POST", f"app/blobs/uploads/?digest={absent}", Transfer_Encoding="chunked") + b"5\r\nxxxxx\r\n",
        head(client, "PATCH", f"app/blobs/uploads/{upload}", Content_Length=str(MIB)) + b"x" * 1000,
        # Large enough for a thread of its own.
        head(client, "PATCH", f"app/blobs/uploads/{upload}", Content_Length=str(64 * MIB)) + b"x" * 300_000,
        head(client, "POST", f"app/blobs/uploads/?digest={absent}", Content_Length=str(64 * MIB)),
        head(client, "PUT", "app/manifests/v1", Content_Length=str(MIB)) + b"{" * 1000,
        head(client, "POST", "app/blobs/uploads/", Content_Length="100"),
    ]
    before = kept(settings)
    await check(client, [asked[number % len(asked)] for number in range(ABORTED)], read=0)
    for _ in range(SETTLE_SECONDS * 10):
        if len(kept(settings) - before) <= 1:
            break
        await asyncio.sleep(0.1)
    # The bytes of the one upload that may go on, and of none of those that began and ended with their request.
    assert len(kept(settings) - before) <= 1
    assert (await client.send("GET", f"app/blobs/{whole}")).body == b"whole"
    assert (await client.send("HEAD", f"app/blobs/{absent}")).status == 404


def kept(settings: Settings) -> set[str]:
    return {os.path.join(root, name) for root, _, names in os.walk(settings.store_folder) for name in names}


async def test_uploads_that_are_begun_and_left_cost_a_row_each(
    client: RegistryClient, make_repository: MakeRepository, settings: Settings
) -> None:
    await make_repository("app")
    before, files = kept(settings), descriptors()
    for _ in range(200):
        assert (await client.send("POST", "app/blobs/uploads/")).status == 202
    assert not kept(settings) - before
    assert descriptors() - files < KEPT_DESCRIPTORS
