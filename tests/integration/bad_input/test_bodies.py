"""Bodies that are not what their head said: garbage for chunks, too few bytes, too slow ones."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

import listener
import listener.serving
from berth import uploads
from berth.settings import Settings
from berth.uploads import Session
from dataplane import bodies
from dataplane.app import make_app
from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.registry import begin_upload
from tests.integration.bad_input.signing import signed
from tests.integration.bad_input.wire import SECONDS, Answer, exchange, request

CHUNKED: dict[str, str | None] = {"Transfer-Encoding": "chunked"}
CHUNKS = {
    "a size of letters": b"four\r\nabcd\r\n0\r\n\r\n",
    "a negative size": b"-4\r\nabcd\r\n0\r\n\r\n",
    "a size with a sign": b"+4\r\nabcd\r\n0\r\n\r\n",
    "a size with 0x": b"0x4\r\nabcd\r\n0\r\n\r\n",
    "a size with a blank before it": b" 4\r\nabcd\r\n0\r\n\r\n",
    "a size with NUL": b"4\0\r\nabcd\r\n0\r\n\r\n",
    "a size of 17 digits": b"F" * 17 + b"\r\nabcd\r\n0\r\n\r\n",
    "no size": b"\r\nabcd\r\n0\r\n\r\n",
    "a size and a line feed": b"4\nabcd\r\n0\r\n\r\n",
    "more bytes than the size": b"4\r\nabcdef\r\n0\r\n\r\n",
    "fewer bytes than the size": b"8\r\nabcd\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "an extension with NUL": b"4;x=\0\r\nabcd\r\n0\r\n\r\n",
    "a trailer that is no header": b"4\r\nabcd\r\n0\r\nno header\r\n\r\n",
    "a trailer of 40,000 letters": b"4\r\nabcd\r\n0\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    "a request after a good chunk": b"4\r\nabcd\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.fixture
async def session(place: Place) -> AsyncIterator[Session]:
    """An upload into which the requests write; it must still be empty, and free, when they are done."""
    session = await begin_upload(place)
    yield session
    async with asyncio.timeout(SECONDS), place.store.claim(session.id):
        kept = await uploads.find(place.database, session)
    assert kept.received == 0
    await uploads.cancel(place.database, place.store, session)


def patch(place: Place, session: Session, headers: dict[str, str | None], body: bytes) -> bytes:
    authorization = aiohttp.encode_basic_auth("AWS", place.password)
    target = f"/v2/bad/input/blobs/uploads/{session.id}"
    return request("PATCH", target, {"Host": "x", "Authorization": authorization, **headers}, body)


# The garbage comes with the head, or later, when somebody reads the body already.
WHEN = {"at once": 0.0, "later": 0.02}


@pytest.mark.parametrize("pause", WHEN)
@pytest.mark.parametrize("fault", CHUNKS)
async def test_a_layer_in_malformed_chunks_is_refused(place: Place, session: Session, fault: str, pause: str) -> None:
    head = patch(place, session, CHUNKED, b"")
    answer = await exchange(place.registry_address, head, CHUNKS[fault], pause=WHEN[pause], until_closed=True)
    check_malformed(place, answer, promises.oci_error(answer))


@pytest.mark.parametrize("pause", WHEN)
@pytest.mark.parametrize("fault", CHUNKS)
async def test_a_manifest_in_malformed_chunks_is_refused(place: Place, fault: str, pause: str) -> None:
    authorization = aiohttp.encode_basic_auth("AWS", place.password)
    head = request("PUT", "/v2/bad/input/manifests/v2", {"Host": "x", "Authorization": authorization, **CHUNKED})
    answer = await exchange(place.registry_address, head, CHUNKS[fault], pause=WHEN[pause], until_closed=True)
    check_malformed(place, answer, promises.oci_error(answer))


@pytest.mark.parametrize("pause", WHEN)
@pytest.mark.parametrize("fault", CHUNKS)
async def test_a_call_in_malformed_chunks_is_refused(place: Place, fault: str, pause: str) -> None:
    head = request("POST", "/", {**signed(place, "DescribeRepositories", b"{}"), **CHUNKED})
    answer = await exchange(place.api_address, head, CHUNKS[fault], pause=WHEN[pause], until_closed=True)
    check_malformed(place, answer, promises.json_error(answer))


def check_malformed(place: Place, answer: Answer, error: tuple[str, str]) -> None:
    promises.check(answer, place.password, place.key.secret)
    assert answer.status in {400, 431}
    assert not answer.rest
    assert "well-formed" in error[1] or "longer" in error[1], answer


@pytest.mark.parametrize("head", [{"Content-Length": "100"}, {"Transfer-Encoding": "chunked"}], ids=str)
@pytest.mark.parametrize("half", [True, False], ids=["half-closed", "closed"])
@pytest.mark.parametrize("plane", ["dataplane", "controlplane"])
async def test_a_body_that_breaks_off_leaves_everything_as_it_was(
    place: Place, session: Session, plane: str, head: dict[str, str | None], half: bool
) -> None:
    reader, writer = await asyncio.open_connection(*place.address(plane).split(":"))
    if plane == "dataplane":
        writer.write(patch(place, session, head, b"5\r\nabcde\r\n"))
    else:
        writer.write(request("POST", "/", {**signed(place, "DescribeRepositories", b"{}"), **head}, b"2\r\n{}\r\n"))
    await writer.drain()
    await asyncio.sleep(0.05)
    if half:
        writer.write_eof()
        async with asyncio.timeout(SECONDS):
            assert b" 5" not in (await reader.read())[:12]
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)


@pytest.mark.parametrize("plane", ["dataplane", "controlplane"])
async def test_a_body_that_comes_no_further_is_given_up(
    place: Place, session: Session, plane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.3)
    monkeypatch.setattr("controlplane.body.SECONDS", 0.3)
    if plane == "dataplane":
        sent = patch(place, session, {"Content-Length": "100"}, b"abcde")
    else:
        sent = request("POST", "/", {**signed(place, "DescribeRepositories", b"{}"), "Content-Length": "100"}, b"{}")
    answer = await exchange(place.address(plane), sent)
    promises.check(answer, place.password, place.key.secret)
    assert answer.status == 408
    _, message = promises.oci_error(answer) if plane == "dataplane" else promises.json_error(answer)
    assert "seconds" in message


@pytest.mark.parametrize("head", [b"", b"GET /v2/", b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX:"], ids=repr)
async def test_a_head_that_comes_no_further_is_given_up(
    settings: Settings, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener.serving, "IDLE_SECONDS", 0.5)
    async with listener.listening(make_app, settings, "localhost:0") as address, asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        for byte in head:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.005)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
