"""Slow and hostile connections: bounded by time and by count, while others are served."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

import listener
from tests.integration.listener.conftest import Listen
from tests.integration.listener.plane import Plane, connection, exchange, is_closed


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextlib.asynccontextmanager
async def crowd(address: listener.Address, size: int, say: bytes = b"") -> AsyncIterator[list[Any]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connection(address, before=say)) for _ in range(size)]


async def until_descriptors_are(number: int) -> None:
    async with asyncio.timeout(15):
        while descriptors() > number:
            await asyncio.sleep(0.05)


async def test_heads_that_come_slowly_are_closed_and_others_are_served(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.connections.HEAD_SECONDS", 0.5)
    monkeypatch.setattr("listener.accepting.WATCH_SECONDS", 0.1)
    async with listen() as address:
        before = descriptors()
        async with crowd(address, 100, b"GET /id HTTP/1.1\r\n") as slow:

            async def drip(writer: asyncio.StreamWriter) -> None:
                with contextlib.suppress(ConnectionError):
                    while not writer.is_closing():
                        writer.write(b"X-A: b\r\n")
                        await writer.drain()
                        await asyncio.sleep(0.1)

            drips = [asyncio.create_task(drip(writer)) for _, writer in slow]
            async with connection(address) as (reader, writer):
                for _ in range(10):
                    assert await exchange(reader, writer, "/id")
            assert all(await asyncio.gather(*(is_closed(reader) for reader, _ in slow)))
            for task in drips:
                task.cancel()
        await until_descriptors_are(before)


async def test_a_head_may_come_in_pieces(listen: Listen) -> None:
    async with listen() as address, connection(address) as (reader, writer):
        for piece in (b"GET /id HT", b"TP/1.1\r\nHo", b"st: x\r\n\r\nGET /id"):
            writer.write(piece)
            await asyncio.sleep(0.02)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(36)
        assert await exchange(reader, writer, "")


async def test_hundreds_of_idle_connections_make_room_for_one_that_asks(listen: Listen) -> None:
    async with listen(max_connections=32) as address:
        before = descriptors()
        async with crowd(address, 300) as idle:
            async with connection(address) as (reader, writer):
                assert await exchange(reader, writer, "/id")
                # Ours and theirs: of the crowd no more are kept than there is room for.
                await until_descriptors_are(before + 300 + 1 + 32 + 2)
            assert await is_closed(idle[0][0]), "the one that was idle for longest"
            reader, writer = idle[-1]
            assert await exchange(reader, writer, "/id"), "and not the one that was so for least"
        await until_descriptors_are(before)


async def test_requests_under_way_are_never_given_up_for_room(listen: Listen, plane: Plane) -> None:
    async with listen(max_connections=16) as address, crowd(address, 16) as busy:
        asking = [asyncio.create_task(exchange(reader, writer, "/slow")) for reader, writer in busy]
        await plane.asked.wait()
        await asyncio.sleep(0.2)
        async with connection(address) as (reader, writer):
            waiting = asyncio.create_task(exchange(reader, writer, "/id"))
            await asyncio.sleep(0.2)
            assert not waiting.done(), "it waits to be accepted"
            plane.answer.set()
            assert await asyncio.gather(*asking) == [b"done"] * 16
            assert await waiting


async def test_stalled_handshakes_are_given_up_for_room(listen: Listen) -> None:
    async with (
        listen(max_connections=16, is_proxied=True, trusted_proxies="127.0.0.1") as address,
        crowd(address, 50),
        connection(address, before=b"PROXY UNKNOWN\r\n") as (reader, writer),
    ):
        assert await exchange(reader, writer, "/id")


async def test_a_body_that_stalls_is_given_up(listen: Listen, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.connections.STALL_SECONDS", 1.5)
    monkeypatch.setattr("listener.accepting.WATCH_SECONDS", 0.1)
    head = b"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    async with listen() as address, connection(address, before=head) as (reader, writer):
        await plane.asked.wait()
        for _ in range(4):
            writer.write(b"x")
            await asyncio.sleep(0.5)
        assert not plane.ended.is_set(), "slow is not stalled"
        assert await is_closed(reader)
        await asyncio.wait_for(plane.ended.wait(), 10)


async def test_a_slow_plane_is_not_the_fault_of_the_client(
    listen: Listen, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.connections.STALL_SECONDS", 0.2)
    monkeypatch.setattr("listener.accepting.WATCH_SECONDS", 0.05)
    async with listen() as address, connection(address) as (reader, writer):
        asking = asyncio.create_task(exchange(reader, writer, "/slow"))
        await plane.asked.wait()
        await asyncio.sleep(0.6)
        plane.answer.set()
        assert await asking == b"done"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system cannot tell")
async def test_who_does_not_take_the_answer_is_given_up(
    listen: Listen, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.accepting.STALL_SECONDS", 1)
    async with listen() as address:
        before = descriptors()
        with socket.create_connection((address.host, address.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /big?mib=64 HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(plane.ended.wait(), 30)
        await until_descriptors_are(before)


async def test_aborted_requests_leave_no_descriptor(listen: Listen, plane: Plane) -> None:
    async with listen() as address:
        before = descriptors()
        for _ in range(200):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"GET /big?mib=4 HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readexactly(1000)
            writer.transport.abort()
        await until_descriptors_are(before)
