"""Large layers, received by threads: whatever the client does, no byte is lost, mixed up, or held on to."""

import asyncio
import contextlib
import errno
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog

import listener
from berth.repositories import Repository
from berth.settings import Settings
from berth.store.filesystem import writing
from dataplane import bodies, large_bodies
from dataplane.app import make_app
from listener.takeover import Takeover
from tests.authority import Authority
from tests.integration.bad_input.wire import Answer, _read, request
from tests.integration.dataplane.conftest import RegistryClient, sha256
from tests.integration.listener.conftest import authority, tls

__all__ = ["authority", "tls"]

MakeRepository = Callable[..., Awaitable[Repository]]
MIB = 1 << 20
CONTENT = os.urandom(5 * MIB + 7)


class Line:
    """One connection to the registry, byte by byte."""

    def __init__(self, client: RegistryClient, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self._client = client
        self.reader, self.writer = streams

    def head(self, method: str, path: str, length: int, **more: str) -> bytes:
        headers: dict[str, str | None] = {
            "Host": self._client.base.partition("://")[2],
            "Authorization": self._client.session.headers["Authorization"],
            "Content-Length": str(length),
            **more,
        }
        return request(method, f"{self._client.prefix}/{path}", headers)

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)

    async def answer(self) -> Answer:
        async with asyncio.timeout(30):
            return await _read(self.reader, is_head=False, until_closed=False)

    async def status(self) -> int:
        """Of an answer without a body."""
        async with asyncio.timeout(30):
            return int((await self.reader.readuntil(b"\r\n\r\n"))[9:12])

    async def is_closed(self) -> bool:
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read() == b""
            return True


@contextlib.asynccontextmanager
async def connected(client: RegistryClient, context: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    host, _, port = client.base.partition("://")[2].rpartition(":")
    name = {"server_hostname": "localhost"} if context else {}
    streams = await asyncio.open_connection(host, port, ssl=context, **name)
    try:
        yield Line(client, streams)
    finally:
        streams[1].close()
        with contextlib.suppress(OSError):
            await streams[1].wait_closed()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes threads received, in each of their turns."""
    sizes: list[int] = []
    real = Takeover.receive

    def receive(self: Takeover, take: Any) -> int:
        sizes.append(real(self, take))
        return sizes[-1]

    monkeypatch.setattr(Takeover, "receive", receive)
    return sizes


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.5)


@pytest.fixture
async def upload(client: RegistryClient, make_repository: MakeRepository) -> str:
    """The path of an upload that has just begun."""
    await make_repository("app")
    return f"app/blobs/uploads/{(await client.send('POST', 'app/blobs/uploads/')).headers['Docker-Upload-UUID']}"


async def assert_goes_on(client: RegistryClient, upload: str, received: int = 0) -> None:
    """The upload is nobody's, has what was acknowledged, and can be completed."""
    for _ in range(100):
        state = await client.send("PUT", f"{upload}?digest={sha256(CONTENT)}", data=CONTENT[received:])
        if state.status != 409:
            break
        await asyncio.sleep(0.05)
    assert state.status == 201, state
    assert (await client.send("GET", f"app/blobs/{sha256(CONTENT)}")).body == CONTENT


async def test_the_next_requests_follow_on_the_same_connection(
    client: RegistryClient, upload: str, taken: list[int]
) -> None:
    """One comes in the same packets as the end of the body, one after the answer."""
    async with connected(client) as line:
        await line.send(line.head("PATCH", upload, len(CONTENT)) + CONTENT + line.head("GET", upload, 0))
        assert await line.status() == 202
        assert await line.status() == 204
        await line.send(line.head("PUT", f"{upload}?digest={sha256(CONTENT)}", 0))
        assert (await line.answer()).status == 201
    assert sum(taken) > MIB
    assert (await client.send("GET", f"app/blobs/{sha256(CONTENT)}")).body == CONTENT


@pytest.mark.parametrize("first", [0, 1, MIB])
async def test_bytes_that_come_slowly_come_in_order(
    client: RegistryClient, upload: str, taken: list[int], first: int
) -> None:
    """`first` bytes come with the head, the others in pieces, with pauses longer than a thread waits."""
    pieces = [CONTENT[start : start + 300_000] for start in range(first, len(CONTENT), 300_000)]
    async with connected(client) as line:
        await line.send(line.head("PATCH", upload, len(CONTENT)) + CONTENT[:first], *pieces, pause=0.03)
        assert await line.status() == 202
        await line.send(line.head("PUT", f"{upload}?digest={sha256(CONTENT)}", 0))
        assert (await line.answer()).status == 201
    assert len(taken) > 1


async def test_chunks_of_an_upload_are_appended_and_hashed_on(client: RegistryClient, upload: str) -> None:
    half = len(CONTENT) // 2
    async with connected(client) as line:
        for first, last in ((0, half), (half, len(CONTENT))):
            part = CONTENT[first:last]
            await line.send(
                line.head("PATCH", upload, len(part), **{"Content-Range": f"{first}-{last - 1}"}), part[:9], part[9:]
            )
            assert await line.status() == 202
        await line.send(line.head("PUT", f"{upload}?digest={sha256(CONTENT)}", 0))
        assert (await line.answer()).status == 201


async def test_a_client_that_waits_for_100_is_told_to_go_on(client: RegistryClient, upload: str) -> None:
    async with connected(client) as line:
        await line.send(line.head("PATCH", upload, len(CONTENT), Expect="100-continue"))
        assert await line.status() == 100
        await line.send(CONTENT)
        assert await line.status() == 202


async def test_other_bytes_than_were_said_are_refused_and_the_connection_is_as_good_as_before(
    client: RegistryClient, upload: str
) -> None:
    async with connected(client) as line:
        await line.send(line.head("PUT", f"{upload}?digest={sha256(b'other')}", len(CONTENT)) + CONTENT)
        answer = await line.answer()
        assert (answer.status, b'"DIGEST_INVALID"' in answer.body) == (400, True)
        await line.send(line.head("GET", upload, 0))
        assert await line.status() == 204
    await assert_goes_on(client, upload)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [0, 3 * MIB])
async def test_a_client_that_sends_no_more_is_given_up(client: RegistryClient, upload: str, sent: int) -> None:
    async with connected(client) as line:
        await line.send(line.head("PATCH", upload, len(CONTENT)) + CONTENT[:sent])
        answer = await line.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
    await assert_goes_on(client, upload)


@pytest.mark.parametrize("reset", [True, False])
async def test_a_client_that_goes_away_leaves_the_upload_as_it_was(
    client: RegistryClient, upload: str, reset: bool
) -> None:
    await client.send("PATCH", upload, data=CONTENT[: 2 * MIB])
    async with connected(client) as line:
        await line.send(line.head("PATCH", upload, 3 * MIB) + CONTENT[2 * MIB : 4 * MIB])
        await asyncio.sleep(0.1)
        if reset:
            line.writer.transport.abort()
        else:
            line.writer.write_eof()
            answer = await line.answer()
            assert (answer.status, answer.headers["connection"]) == (400, "close")
    await assert_goes_on(client, upload, received=2 * MIB)


@pytest.mark.parametrize("sent", [0, 100_000, 2 * MIB])
async def test_clients_that_go_away_at_any_moment_are_no_fault_of_berths(
    client: RegistryClient, upload: str, sent: int
) -> None:
    with structlog.testing.capture_logs() as lines:
        for delay in range(20):
            async with connected(client) as line:
                line.writer.write(line.head("PATCH", upload, len(CONTENT)) + CONTENT[:sent])
                await asyncio.sleep(delay / 1000)
                line.writer.transport.abort()
        await assert_goes_on(client, upload)
    assert not [line for line in lines if line["log_level"] in {"error", "critical"}]


async def test_many_that_trickle_do_not_keep_the_threads_from_others(
    client: RegistryClient, upload: str, make_repository: MakeRepository
) -> None:
    await make_repository("slow")
    async with contextlib.AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(connected(client)) for _ in range(8 * large_bodies.THREADS)]
        for line in lines:
            begun = (await client.send("POST", "slow/blobs/uploads/")).headers["Docker-Upload-UUID"]
            await line.send(line.head("PATCH", f"slow/blobs/uploads/{begun}", MIB) + b"x")

        async def trickle() -> None:
            while True:
                for line in lines:
                    line.writer.write(b"x")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        async with asyncio.timeout(30):
            await assert_goes_on(client, upload)
        trickling.cancel()


async def test_a_full_disk_is_said_at_once_and_the_upload_goes_on_when_there_is_room(
    client: RegistryClient, upload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.send("PATCH", upload, data=CONTENT[: 2 * MIB])

    def full(_descriptor: int, _pieces: Sequence[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/path/of/the/host")

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, "writev", full)
        async with connected(client) as line:
            # The rest of the body never comes: the answer does not wait for it.
            await line.send(line.head("PATCH", upload, len(CONTENT) - 2 * MIB) + CONTENT[2 * MIB : 4 * MIB])
            answer = await line.answer()
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert b"ENOSPC" in answer.body
    assert b"/a/path" not in answer.body
    await assert_goes_on(client, upload, received=2 * MIB)


@pytest.mark.parametrize("ends", [True, False])
async def test_a_server_that_stops_waits_for_the_body_but_not_for_ever(
    settings: Settings, client: RegistryClient, upload: str, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    monkeypatch.setattr(listener.serving, "DRAIN_SECONDS", 20 if ends else 0.5)
    plane = listener.listening(make_app, settings, "localhost:0")
    there = RegistryClient(client.session, f"http://{await plane.__aenter__()}", client.prefix)
    async with connected(there) as line:
        await line.send(line.head("PATCH", upload, len(CONTENT)) + CONTENT[: 2 * MIB])
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(plane.__aexit__(None, None, None))
        if ends:
            await asyncio.sleep(0.1)
            await line.send(CONTENT[2 * MIB :])
            assert await line.status() == 202
        async with asyncio.timeout(30):
            await stopping
    await assert_goes_on(client, upload, received=len(CONTENT) if ends else 0)


async def test_over_tls_the_bytes_come_through_the_event_loop(
    settings: Settings,
    client: RegistryClient,
    upload: str,
    authority: Authority,
    tls: dict[str, Path],
    taken: list[int],
) -> None:
    secure = Settings(**{**settings.model_dump(exclude_unset=True), **tls})
    async with listener.listening(make_app, secure, "localhost:0") as address:
        there = RegistryClient(client.session, f"https://{address}", client.prefix)
        async with connected(there, authority.trusting()) as line:
            await line.send(line.head("PUT", f"{upload}?digest={sha256(CONTENT)}", len(CONTENT)) + CONTENT)
            assert (await line.answer()).status == 201
    assert not taken
    assert (await client.send("GET", f"app/blobs/{sha256(CONTENT)}")).body == CONTENT
