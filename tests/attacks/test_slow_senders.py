"""Whoever sends slowly, or not at all, is given up after a while; whoever does not is served meanwhile."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator

import pytest

import listener.serving
from berth.settings import Settings
from dataplane import bodies
from dataplane.app import make_app
from tests.attacks.conftest import MakeRepository
from tests.integration.bad_input.wire import exchange, request
from tests.integration.dataplane.conftest import RegistryClient, sha256

SLOW = 200
PATIENCE = 1.0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", PATIENCE)


def head(client: RegistryClient, method: str, path: str, **more: str) -> bytes:
    headers: dict[str, str | None] = {
        "Host": client.base.removeprefix("http://"),
        "Authorization": client.session.headers["Authorization"],
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return request(method, f"{client.prefix}/{path}", headers)


async def begin(client: RegistryClient) -> str:
    return str((await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"])


@contextlib.asynccontextmanager
async def connections(
    address: str, number: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    opened = [await asyncio.open_connection(*address.rsplit(":", 1)) for _ in range(number)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        for _, writer in opened:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("coding", ["of 1 MB", "of 1 GB", "chunked"])
async def test_bodies_that_stand_still_are_given_up_and_others_unharmed(
    client: RegistryClient, make_repository: MakeRepository, coding: str
) -> None:
    await make_repository("app")
    length = {"of 1 MB": "1000000", "of 1 GB": "1000000000"}.get(coding)
    more = {"Content_Length": length} if length else {"Transfer_Encoding": "chunked"}
    part = b"x" * 10 if length else b"a\r\n" + b"x" * 10 + b"\r\n"
    paths = [f"app/blobs/uploads/{await begin(client)}" for _ in range(SLOW)]
    async with connections(client.base.removeprefix("http://"), SLOW) as opened:
        for (_, writer), path in zip(opened, paths, strict=True):
            writer.write(head(client, "PATCH", path, **more) + part)
        # Pushes and pulls go on as ever.
        digest = await client.push_blob("app", b"x" * 100_000)
        assert (await client.send("GET", f"app/blobs/{digest}")).body == b"x" * 100_000
        async with asyncio.timeout(60):
            for reader, _ in opened:
                answer = await reader.readuntil(b"}]}")
                assert answer.startswith(b"HTTP/1.1 408 "), answer
                assert b'"BLOB_UPLOAD_INVALID"' in answer
    # What each held is free: the upload can go on.
    for path in (paths[0], paths[-1]):
        state = await client.send("GET", path)
        assert (state.status, state.headers["Range"]) == (204, "0-0")
        assert (await client.send("PUT", f"{path}?digest={sha256(b'all')}", data=b"all")).status == 201


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("what", ["layer", "large layer", "manifest"])
async def test_a_body_that_trickles_is_given_up(
    client: RegistryClient, make_repository: MakeRepository, what: str
) -> None:
    await make_repository("app")
    path = "app/manifests/v1" if what == "manifest" else f"app/blobs/uploads/{await begin(client)}"
    method = "PUT" if what == "manifest" else "PATCH"
    length = "1000000000" if what == "large layer" else "1000000"
    pieces = [b"x"] * 200
    answer = await exchange(
        client.base.removeprefix("http://"), head(client, method, path, Content_Length=length), *pieces, pause=0.05
    )
    assert answer.status == 408
    assert "16384 bytes" in json.loads(answer.body)["errors"][0]["message"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("piece", [bodies.LEAST_BYTES, 20 * bodies.LEAST_BYTES])
async def test_a_slow_body_that_goes_on_is_taken(
    client: RegistryClient, make_repository: MakeRepository, piece: int
) -> None:
    await make_repository("app")
    content = b"x" * (8 * piece)
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)]
    path = f"app/blobs/uploads/{await begin(client)}?digest={sha256(content)}"
    sent = head(client, "PUT", path, Content_Length=str(len(content)))
    # Each piece comes within the time, all of them do not.
    answer = await exchange(client.base.removeprefix("http://"), sent, *pieces, pause=PATIENCE / 5)
    assert answer.status == 201, answer


async def test_heads_that_come_slowly_are_given_up_and_others_unharmed(
    settings: Settings, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener.serving, "IDLE_SECONDS", 1)
    async with (
        listener.listening(make_app, settings, "localhost:0") as address,
        connections(str(address), SLOW) as opened,
    ):
        begun = [b"", b"G", b"GET /v2/", b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: "]
        for number, (_, writer) in enumerate(opened):
            writer.write(begun[number % len(begun)])
        for _ in range(5):
            answer = await exchange(str(address), request("GET", "/v2/", {"Host": "x", "Connection": "close"}))
            assert answer.status == 401
            # A byte now and then gains no time.
            for _, writer in opened:
                with contextlib.suppress(ConnectionError):
                    writer.write(b"a")
            await asyncio.sleep(0.1)
        async with asyncio.timeout(60):
            for reader, _ in opened:
                with contextlib.suppress(ConnectionError):
                    assert b" 200 " not in await reader.read()


async def test_a_slow_reader_keeps_nobody_waiting(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    digest = await client.push_blob("app", b"x" * (8 * 1024 * 1024))
    async with connections(client.base.removeprefix("http://"), 50) as opened:
        for _, writer in opened:
            writer.write(head(client, "GET", f"app/blobs/{digest}"))
        for _ in range(10):
            name = uuid.uuid4().hex.encode()
            assert (await client.send("GET", f"app/blobs/{await client.push_blob('app', name)}")).body == name
