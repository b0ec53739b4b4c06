"""Whether a plane is ready, asked as anybody may: `GET /readyz`."""

import asyncio
import json
from urllib.parse import urlsplit

from berth.networks.tls import client_context

ASK_SECONDS = 5.0
MOST_BYTES = 65_536


# The PROXY protocol, version 2, LOCAL: "established on purpose by the proxy without being relayed".
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"


async def problem_at(url: str, *, is_proxied: bool = False) -> str | None:
    """What keeps the plane at `url` from being ready, for people; None when nothing does.

    `is_proxied`: it wants the PROXY protocol, which this machine may speak for itself.
    """
    try:
        async with asyncio.timeout(ASK_SECONDS):
            head, content = await _get(url, "/readyz", LOCAL if is_proxied else b"")
    except TimeoutError:
        return f"it does not answer at {url} within {ASK_SECONDS:.0f} s"
    except OSError as error:
        return f"it does not answer at {url}: {error.strerror or error}"
    status = head.partition(b"\r\n")[0].split(b" ")
    if status[1:2] == [b"200"]:
        return None
    return _finding(content) or f"what answers at {url} is not Berth"


async def _get(url: str, path: str, before: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer. No HTTP client: nothing in the environment (a proxy, say) is for this."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(before)
        if place.scheme == "https":
            await writer.drain()
            await writer.start_tls(client_context())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while len(answer) < MOST_BYTES and (more := await reader.read(MOST_BYTES)):
            answer += more
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return head, content


def _finding(content: bytes) -> str:
    """What the plane says that it lacks; nothing where these are not a plane's words."""
    try:
        finding = json.loads(content)
        return ", ".join(f"{thing}: {state}" for thing, state in finding.items() if state != "ok" and thing != "status")
    except (ValueError, AttributeError):
        return ""
