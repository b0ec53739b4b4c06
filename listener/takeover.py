"""The rest of a large body, received by threads, past the event loop (docs/adr/0012).

Through asyncio and aiohttp, every byte of a body is copied twice before anybody sees it, and some 64 KiB of them are an
event. Here, what the kernel has is received into a buffer that a thread uses again and again, so that it stays in the
cache of its core, and is taken from there in the same thread. aiohttp's parser never sees these bytes: once they are
all there, the connection goes on with a new one, as if the request had ended there.
"""

import asyncio
import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import StreamReader, web
from aiohttp.http import HttpRequestParser
from aiohttp.web_protocol import RequestHandler

# Of one piece. Larger ones cost less for each byte, until they no longer fit into the cache of a core.
BUFFER_BYTES = 1 << 20
# After so many bytes a thread is free for another body.
TURN_BYTES = 32 << 20
# Whoever sent as much in this turn is waited for a moment, for the rest is on its way; others wait in the event loop.
STEADY_BYTES = 64 << 10
PATIENCE_MILLISECONDS = 20

# What this reaches for in aiohttp; of another version that has not all of it, nothing is taken over.
_REACHED_FOR = {"_pause_reading_for_buffer", "_resume_reading_for_buffer", "_parser", "_max_msg_queue_size"}
_IS_KNOWN = {*dir(RequestHandler)} >= _REACHED_FOR and "_buffer" in dir(StreamReader)

Take = Callable[[memoryview], object]

_own = threading.local()


def can_take_over(request: web.Request) -> bool:
    """Whether the rest of the body is so many plain bytes, as the head says, on a plain socket."""
    transport, message = request.transport, request._message
    return (
        _IS_KNOWN
        and request.content_length is not None
        and not (message.chunked or message.upgrade or request.content.is_eof())
        and transport is not None
        and not transport.is_closing()
        and transport.get_extra_info("sslcontext") is None
        and transport.get_extra_info("socket") is not None
    )


class Takeover:
    """The body of a request that can be taken over; the connection is this object's alone while the context lasts.

    Left before all was received, it is closed after the answer. Raises ConnectionError, from the start, where the
    client is gone.
    """

    # What aiohttp had read of the body already: it comes first.
    early: list[bytes]

    def __init__(self, request: web.Request) -> None:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError
        self._request = request
        self._content = request.content
        self._protocol = request.protocol
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(fileno=os.dup(request.transport.get_extra_info("socket").fileno()))
        self._left = 0

    @property
    def is_complete(self) -> bool:
        return self._left == 0

    async def __aenter__(self) -> Self:
        self._left = self._request.content_length or 0
        self._gone = self._loop.create_task(self._content.wait_eof())
        self._gone.add_done_callback(self._lost)
        # No byte more from the socket, and out with what the parser holds.
        self._protocol._pause_reading_for_buffer()
        self.early = []
        try:
            while self._content._buffer:
                self.early.append(await self._content.readany())
        except BaseException:
            self._leave()
            raise
        self._left -= self._content.total_bytes
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _lost(self, gone: asyncio.Task[None]) -> None:
        if not gone.cancelled() and gone.exception() is not None:
            self.stop()

    def _leave(self) -> None:
        self._gone.cancel()
        self._socket.close()
        if self._left:
            self._request._message = self._request._message._replace(should_close=True)
        elif not self._content.is_eof():
            self._read_next_request()
        self._protocol._resume_reading_for_buffer()

    def receive(self, take: Take) -> int:
        """Hand over what comes, in this thread, until nothing does or the turn is over; how many bytes that were.

        Raises ConnectionError when the client is gone, and what `take` raises.
        """
        buffer = _buffer()
        began = self._left
        arrival = select.poll()
        arrival.register(self._socket, select.POLLIN)
        while self._left and began - self._left < TURN_BYTES:
            size = self._fill(buffer, arrival, is_steady=began - self._left >= STEADY_BYTES)
            if not size:
                break
            take(buffer[:size])
            self._left -= size
        return began - self._left

    def _fill(self, buffer: memoryview, arrival: select.poll, *, is_steady: bool) -> int:
        size = 0
        room = min(self._left, BUFFER_BYTES)
        while size < room:
            try:
                received = self._socket.recv_into(buffer[size:room])
            except BlockingIOError:
                if not (is_steady and size < room // 2 and arrival.poll(PATIENCE_MILLISECONDS)):
                    break
                continue
            if not received:
                raise ConnectionResetError
            size += received
        return size

    async def wait(self, seconds: float) -> None:
        """Wait until there is something to receive. Raises TimeoutError."""
        arrived = asyncio.Event()
        self._loop.add_reader(self._socket, arrived.set)
        try:
            async with asyncio.timeout(seconds):
                await arrived.wait()
        finally:
            self._loop.remove_reader(self._socket)

    def stop(self) -> None:
        """Let nobody wait for this client any longer."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def _read_next_request(self) -> None:
        protocol = self._protocol
        protocol._parser = HttpRequestParser(
            protocol,
            self._loop,
            protocol._read_bufsize,
            max_line_size=protocol.max_line_size,
            max_field_size=protocol.max_field_size,
            max_headers=protocol.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=protocol._max_msg_queue_size,
        )
        self._content.feed_eof()


def _buffer() -> memoryview:
    """This thread's."""
    if not hasattr(_own, "buffer"):
        _own.buffer = memoryview(bytearray(BUFFER_BYTES))
    buffer: memoryview = _own.buffer
    return buffer
