"""Requests that are sent without waiting for answers, however the bytes are cut: each is answered as if it came alone.

Some are answered at once, some on the whole way, and large bodies are taken over from aiohttp's parser.
"""

import asyncio
import hashlib
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from berth.repositories import Repository
from berth.settings import Settings
from tests.integration.dataplane.conftest import RegistryClient
from tests.integration.dataplane.test_memory import NAME, serving

ROUNDS = 40


@dataclass(frozen=True)
class Sent:
    method: str
    content: bytes
    # The status and the body; of a push, another body each time.
    expected: tuple[int, bytes | None]


def request_of(client: RegistryClient, method: str, path: str, fields: str = "", body: bytes = b"") -> bytes:
    authorization = client.session.headers["Authorization"]
    head = (
        f"{method} {client.prefix}/{NAME}/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n{fields}\r\n"
    )
    return head.encode() + body


async def requests_of(client: RegistryClient) -> list[Sent]:
    digest, document = await client.push_image(NAME, "v1")
    layer = f"blobs/{document['layers'][0]['digest']}"
    sent = []
    for path in ("manifests/v1", layer, f"{layer}?x=1", f"referrers/{digest}", "manifests/none", "tags/list"):
        for method in ("GET", "HEAD"):
            answer = await client.send(method, f"{NAME}/{path}")
            sent.append(Sent(method, request_of(client, method, path), (answer.status, answer.body)))
    whole = await client.send("GET", f"{NAME}/manifests/v1")
    # What a body says is no request.
    for fields, body in (
        ("Content-Length: 5\r\n", b"GET /"),
        ("Transfer-Encoding: chunked\r\n", b"5\r\nGET /\r\n0\r\n\r\n"),
    ):
        content = request_of(client, "GET", "manifests/v1", fields, body)
        sent.append(Sent("GET", content, (whole.status, whole.body)))
    for size in (100, (2 << 20) + 1):
        body = os.urandom(size)
        path = f"blobs/uploads/?digest=sha256:{hashlib.sha256(body).hexdigest()}"
        content = request_of(client, "POST", path, f"Content-Length: {size}\r\n", body)
        sent.append(Sent("POST", content, (201, None)))
    return sent


async def send_in_pieces(writer: asyncio.StreamWriter, content: bytes, dice: random.Random) -> None:
    while content:
        size = dice.choice([dice.randrange(1, 400), len(content), dice.randrange(1, len(content) + 1)])
        writer.write(content[:size])
        content = content[size:]
        await writer.drain()
        if dice.random() < 0.5:
            await asyncio.sleep(dice.random() * 0.004)


async def answer_to(method: str, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if line)
    body = b"" if method == "HEAD" else await reader.readexactly(int(fields["content-length"]))
    return int(status.split()[1]), body


@pytest.mark.parametrize("seed", range(3))
async def test_pipelined_requests_are_answered_in_order_each_as_if_it_came_alone(
    client: RegistryClient,
    settings: Settings,
    make_repository: Callable[..., Awaitable[Repository]],
    seed: int,
) -> None:
    await make_repository(NAME)
    dice = random.Random(seed)
    async with serving(settings) as plane:
        requests = await requests_of(replace(client, base=plane.url))
        host, _, port = plane.url.removeprefix("http://").partition(":")
        before = plane.at_once
        for _ in range(ROUNDS):
            chosen = dice.choices(requests, k=dice.randrange(1, 7))
            reader, writer = await asyncio.open_connection(host, int(port))
            sending = asyncio.create_task(send_in_pieces(writer, b"".join(one.content for one in chosen), dice))
            for one in chosen:
                async with asyncio.timeout(30):
                    status, body = await answer_to(one.method, reader)
                assert (status, None if one.method == "POST" else body) == one.expected, one.content[:200]
            await sending
            writer.close()
            await writer.wait_closed()
        assert plane.at_once > before
