"""Requests as bytes, so that no client mends them on their way, and the answers as they came."""

import asyncio
import contextlib
from dataclasses import dataclass, field

# No answer may take longer, and no connection may be left without one.
SECONDS = 5.0
MAX_HEAD = 16_384


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `rest` is what came on the connection after it, and `closed` whether the server then hung up."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)
    rest: bytes = b""
    closed: bool = False


def request(
    method: str, target: str, headers: dict[str, str | None], body: bytes = b"", version: str = "HTTP/1.1"
) -> bytes:
    """The bytes of a request. A header that is None is left out; Content-Length is there unless one says otherwise."""
    given = {name.lower() for name in headers}
    lines = [f"{method} {target} {version}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    if body and not given & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


async def exchange(
    address: str, *sent: bytes, pause: float = 0.0, is_head: bool = False, until_closed: bool = False
) -> Answer:
    """Send the bytes to HOST:PORT and return the answer; with `until_closed`, once the server has hung up.

    Each piece is sent `pause` seconds after the one before it.

    Raises TimeoutError after SECONDS: that is a hang. EOFError: hung up without a whole answer.
    """
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(*address.rsplit(":", 1), limit=1 << 24)
        try:
            sending = asyncio.create_task(_send(writer, sent, pause))
            answer = await _read(reader, is_head=is_head, until_closed=until_closed)
            sending.cancel()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
    return answer


async def _send(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], pause: float) -> None:
    with contextlib.suppress(ConnectionError):
        for number, piece in enumerate(pieces):
            if number and pause:
                await asyncio.sleep(pause)
            writer.write(piece)
            await writer.drain()


async def _read(reader: asyncio.StreamReader, *, is_head: bool, until_closed: bool) -> Answer:
    head = b"HTTP/1.1 100"
    while head.startswith(b"HTTP/1.1 100"):
        head = await reader.readuntil(b"\r\n\r\n")
    status, headers = _parsed(head)
    body = b"" if is_head else await reader.readexactly(int(headers["content-length"]))
    rest = await reader.read() if until_closed else b""
    return Answer(status, headers, body, head + body, rest, until_closed)


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    assert len(head) < MAX_HEAD
    first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    version, status, _ = first.split(" ", 2)
    # That of the request, and 1.0 for bytes that never got as far as naming one.
    assert version in {"HTTP/0.9", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0"}
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, f"{name} is there twice"
        headers[name.lower()] = value
    return int(status), headers
