"""How a plane listens, whatever it serves."""

import asyncio
import contextlib
import socket

import aiohttp
import pytest

import listener
from berth.networks.sockets import bind
from berth.settings import Settings
from tests.integration.listener.plane import Plane


async def get(url: str, **options: object) -> tuple[int, dict[str, str], str]:
    async with aiohttp.ClientSession() as session, session.get(url, **options) as answer:
        return answer.status, dict(answer.headers), await answer.text()


async def raw(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_it_is_alive_and_ready(url: str) -> None:
    assert (await get(f"{url}/healthz"))[0] == 200
    status, _, text = await get(f"{url}/readyz")
    assert status == 200
    assert '"database": "ok"' in text
    assert '"store": "ok"' in text


async def test_without_a_database_it_is_alive_but_not_ready(plane: Plane, settings: Settings) -> None:
    nowhere = Settings(data=settings.data, database_url="postgresql://u:canary@127.0.0.1:1/berth")
    async with listener.listening(plane.make_app, nowhere, "localhost:0") as address:
        assert (await get(f"http://{address}/healthz"))[0] == 200
        status, _, text = await get(f"http://{address}/readyz")
        assert status == 503
        assert '"database": "does not answer"' in text
        assert "canary" not in text


async def test_without_its_tables_it_is_not_ready(plane: Plane, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("berth.database.revision.needed", lambda: "9999")
        async with listener.listening(plane.make_app, settings, "localhost:0") as address:
            status, _, text = await get(f"http://{address}/readyz")
    assert status == 503
    assert "but 9999 is needed: run `berth migrate`" in text


async def test_without_its_store_it_is_not_ready(plane: Plane, settings: Settings) -> None:
    gone = settings.model_copy(update={"store": "file:///proc/berth"})
    async with listener.listening(plane.make_app, gone, "localhost:0") as address:
        status, _, text = await get(f"http://{address}/readyz")
    assert status == 503
    assert '"database": "ok"' in text
    assert '"store": "the store' in text


async def test_each_request_has_an_id_of_its_own(url: str) -> None:
    given = {"X-Request-Id": "mine", "x-amzn-RequestId": "mine"}
    ids = {(await get(f"{url}/id", headers=given))[2] for _ in range(3)}
    assert len(ids) == 3
    assert "mine" not in ids


async def test_no_answer_names_versions(url: str) -> None:
    answers = [
        (await get(f"{url}/id"))[1]["Server"],
        (await get(f"{url}/none"))[1]["Server"],
        (await get(f"{url}/broken"))[1]["Server"],
    ]
    assert answers == ["Berth"] * 3
    assert b"Python" not in await raw(url, b"nonsense\r\n\r\n")


async def test_what_is_not_http_is_answered_in_the_planes_words(url: str) -> None:
    for request in (
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header: canary\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /id HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /id HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ):
        answer = await raw(url, request)
        assert answer.startswith(b"HTTP/1.0 400 Bad Request"), answer
        assert b'{"fault": "The request is not well-formed HTTP/1.1: ' in answer
        assert b"canary" not in answer


@pytest.mark.parametrize("head", [b"GET /%s HTTP/1.1\r\n\r\n", b"GET /id HTTP/1.1\r\nAuthorization: Basic %s\r\n\r\n"])
async def test_a_head_that_is_too_long_is_refused(url: str, head: bytes) -> None:
    answer = await raw(url, head % (b"canary" * 5_000))
    assert answer.startswith(b"HTTP/1.0 431 ")
    assert b"canary" not in answer


async def test_a_head_with_too_many_lines_is_refused(url: str) -> None:
    answer = await raw(url, b"GET /id HTTP/1.1\r\n" + b"A: b\r\n" * 1_000 + b"\r\n")
    assert answer.startswith(b"HTTP/1.0 4")


async def test_a_failure_in_the_code_is_not_told_to_the_client(url: str) -> None:
    status, _, text = await get(f"{url}/broken")
    assert status == 500
    assert "canary" not in text


async def test_a_stop_lets_requests_under_way_end(plane: Plane, settings: Settings) -> None:
    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(listener.listening(plane.make_app, settings, "localhost:0"))
        request = asyncio.create_task(get(f"http://{address}/slow"))
        await plane.asked.wait()
        stopping = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(f"http://{address}/healthz")
        assert not stopping.done()
        plane.answer.set()
        assert (await request)[2] == "done"
        await stopping


async def test_idle_connections_do_not_hold_up_a_stop(plane: Plane, settings: Settings) -> None:
    async with aiohttp.ClientSession() as session:
        async with listener.listening(plane.make_app, settings, "localhost:0") as address:
            async with session.get(f"http://{address}/id") as answer:
                await answer.read()
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 2


async def test_a_connection_that_does_not_finish_its_head_is_closed(
    plane: Plane, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.serving.IDLE_SECONDS", 0.3)
    async with listener.listening(plane.make_app, settings, "localhost:0") as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET /id HTTP/1.1\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"A: slow\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


def test_localhost_is_both_families() -> None:
    sockets = bind("localhost:0")
    families = [one.family for one in sockets]
    assert families[0] == socket.AF_INET
    assert len({one.getsockname()[1] for one in sockets}) == 1
    for one in sockets:
        one.close()


def test_an_address_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            listener.AddressUnusable, match=f"cannot listen at localhost:{port}: Address already in use"
        ):
            bind(f"localhost:{port}")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(listener.AddressUnusable, match="this machine has no such address"):
        bind("192.0.2.1:0")


def test_every_address_of_both_families() -> None:
    (one,) = bind("[::]:0")
    with one, socket.create_connection(("127.0.0.1", one.getsockname()[1]), 5):
        pass
