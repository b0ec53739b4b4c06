"""HTTP/1.1 by hand: a client so cheap that the server is what is measured."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_SECONDS = 60.0
RECEIVE_BYTES = 256 * 1024
LAST_CHUNK = b"0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_BODILESS = (204, 304)


class AnswerBroken(Exception):
    """The server closed the connection amid an answer, or answered what no server should."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), timeout=TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        found = re.search(rf"\r\n{re.escape(name)}: *([^\r\n]*)".encode(), self.head, re.IGNORECASE)
        return found[1].decode() if found else None


class Incoming:
    """One answer while it arrives."""

    __slots__ = ("_body_at", "_chunked", "_end", "_headless", "buffer", "closes", "status")

    def __init__(self, *, headless: bool = False) -> None:
        """`headless`: it answers HEAD, so no body follows, whatever length it tells."""
        self.buffer = bytearray()
        self.status = 0
        self.closes = False
        self._headless = headless
        self._body_at = 0
        self._end: int | None = None
        self._chunked = False

    def feed(self, piece: bytes) -> bool:
        """Take what arrived (nothing: the server closed the connection); whether the answer is whole."""
        self.buffer += piece
        if not self._body_at and not self._read_head():
            if not piece:
                raise AnswerBroken("the server closed the connection instead of an answer")
            return False
        if self._end is not None and len(self.buffer) >= self._end:
            return True
        if self._chunked and self.buffer.endswith(LAST_CHUNK):
            return True
        if piece:
            return False
        if self._end is not None or self._chunked:
            raise AnswerBroken("the server closed the connection amid an answer")
        self.closes = True
        return True

    def answer(self) -> Answer:
        return Answer(self.status, bytes(self.buffer[: self._body_at]), bytes(self.buffer[self._body_at :]))

    @property
    def body_bytes(self) -> int:
        """How many bytes of the body are here."""
        return len(self.buffer) - self._body_at

    @property
    def size(self) -> int | None:
        """How many bytes the body has, where the head tells."""
        return None if self._end is None else self._end - self._body_at

    def _read_head(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self.buffer[: end + 2])
        if not head.startswith(b"HTTP/1."):
            raise AnswerBroken(f"this is no HTTP/1.1: {head[:40]!r}")
        self.status = int(head[9:12])
        self._body_at = end + 4
        self.closes = _CLOSE.search(head) is not None
        length = _LENGTH.search(head)
        if self._headless or self.status in _BODILESS:
            self._end = self._body_at
        elif length:
            self._end = self._body_at + int(length[1])
        else:
            self._chunked = _CHUNKED.search(head) is not None
        return True


class Connection:
    """One keep-alive connection that asks and waits."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.socket = address.connect()

    def ask(self, request: bytes, body: tuple[memoryview, ...] = ()) -> Answer:
        """Raises AnswerBroken and OSError."""
        self.socket.sendall(request)
        for part in body:
            self.socket.sendall(part)
        incoming = Incoming(headless=request.startswith(b"HEAD "))
        while not incoming.feed(self.socket.recv(RECEIVE_BYTES)):
            pass
        if incoming.closes:
            self.socket.close()
            self.socket = self.address.connect()
        return incoming.answer()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def request(
    method: str, path: str, address: Address, headers: Mapping[str, str], body: bytes = b"", length: int | None = None
) -> bytes:
    """The bytes of a request; `length`: that of a body which is sent apart."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}", "User-Agent: berth-bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body
