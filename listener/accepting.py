"""Taking connections: no more than there is room for, fairly among processes, through TLS and PROXY headers in time."""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from berth.networks.proxies import Networks, among, plain_address
from listener import proxy_protocol
from listener.connections import Connection, Server
from listener.limits import (
    ADMISSION_SECONDS,
    GOODBYE_SECONDS,
    PAUSE_SECONDS,
    STALL_SECONDS,
    WATCH_SECONDS,
    YIELD_SECONDS,
)
from listener.peers import Peer
from listener.share import Share

log = structlog.get_logger()

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@dataclass(frozen=True, slots=True)
class Terms:
    """How a listener takes connections. `context`: the TLS of the next one, where there is TLS."""

    max_connections: int
    context: Callable[[], ssl.SSLContext | None]
    trusted: Networks = ()
    is_proxied: bool = False
    share: Share | None = None


@dataclass
class Acceptor:
    """Takes connections from `sockets`, for `server`, from start() until close()."""

    sockets: Sequence[socket.socket]
    server: Server
    terms: Terms
    _admitting: dict[asyncio.Task[None], float] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)
    _is_open: bool = True

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        if self.terms.share is not None:
            self.server.on_loss = self._tell
        for listening in self.sockets:
            self._resume(listening)
        self._watch()

    async def close(self) -> None:
        """Take no more; those that are about to be there may arrive."""
        self._is_open = False
        for timer in self._timers:
            timer.cancel()
        for listening in self.sockets:
            self._loop.remove_reader(listening)
            listening.close()
        self.server.on_loss = None
        if self.terms.share is not None:
            self.terms.share.close()
        if self._admitting:
            _, late = await asyncio.wait(self._admitting, timeout=1)
            for task in late:
                task.cancel()

    @property
    def _count(self) -> int:
        return len(self._admitting) + self.server.count

    def _later(self, seconds: float, do: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            self._timers.discard(timer)
            do(*arguments)

        timer = self._loop.call_later(seconds, run)
        self._timers.add(timer)

    def _resume(self, listening: socket.socket) -> None:
        self._loop.add_reader(listening, self._ready, listening)

    def _pause(self, listening: socket.socket, seconds: float, then: Callable[[socket.socket], None]) -> None:
        self._loop.remove_reader(listening)
        self._later(seconds, then, listening)

    def _ready(self, listening: socket.socket) -> None:
        """A connection waits. (One at a time: others may be idler than this process.)"""
        self._tell()
        if self.terms.share is not None and self.terms.share.is_ahead():
            self._pause(listening, YIELD_SECONDS, self._take_after_all)
        else:
            self._take(listening)

    def _tell(self) -> None:
        if self.terms.share is not None:
            self.terms.share.tell(self._count)

    def _take_after_all(self, listening: socket.socket) -> None:
        self._resume(listening)
        self._take(listening)

    def _take(self, listening: socket.socket) -> None:
        if self._count >= self.terms.max_connections and not self._make_room():
            self._pause(listening, PAUSE_SECONDS, self._resume)
            return
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            log.warning("no connection can be accepted now", because=error.strerror)
            self._pause(listening, PAUSE_SECONDS, self._resume)
            return
        task = self._loop.create_task(self._admit(connection))
        self._admitting[task] = self._loop.time()
        self._tell()
        task.add_done_callback(self._admitted)

    def _admitted(self, task: asyncio.Task[None]) -> None:
        self._admitting.pop(task, None)

    def _make_room(self) -> bool:
        """Give up whoever has owed us a request, or a handshake, for longest."""
        idle: list[tuple[float, Connection | asyncio.Task[None]]] = [
            (connection.idle_since, connection) for connection in self.server.idle()
        ]
        idle += [(since, task) for task, since in self._admitting.items()]
        if not idle:
            return False
        _, longest = min(idle, key=lambda one: one[0])
        if isinstance(longest, Connection):
            longest.abort()
        else:
            longest.cancel()
        return True

    async def _admit(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            async with asyncio.timeout(ADMISSION_SECONDS):
                await self._connect(connection)
        except (TimeoutError, OSError, EOFError, proxy_protocol.Malformed) as error:
            # ssl.SSLError is an OSError.
            log.debug("a connection came to nothing", because=str(error) or type(error).__name__)

    async def _connect(self, connection: socket.socket) -> None:
        context = self.terms.context()
        try:
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(STALL_SECONDS * 1000))
            peer = await self._peer(connection, is_secure=context is not None)
        except BaseException:
            connection.close()
            raise
        # From here on the socket is the loop's, which must not find it closed by others.
        await self._loop.connect_accepted_socket(
            lambda: self.server.connect(peer),
            connection,
            ssl=context,
            ssl_handshake_timeout=ADMISSION_SECONDS if context else None,
            ssl_shutdown_timeout=GOODBYE_SECONDS if context else None,
        )

    async def _peer(self, connection: socket.socket, *, is_secure: bool) -> Peer:
        """Who connects: as the PROXY header has it, which only trusted proxies may send, and must."""
        address = plain_address(str(connection.getpeername()[0])) or ""
        if not self.terms.is_proxied:
            return Peer(address, is_secure)
        is_trusted = among(self.terms.trusted, address)
        if not is_trusted and not ipaddress.ip_address(address).is_loopback:
            raise proxy_protocol.Malformed("it comes from no trusted proxy")
        header = await proxy_protocol.receive(connection)
        if not is_trusted and not header.is_local:
            # This machine may ask how we are, in its own name.
            raise proxy_protocol.Malformed("it comes from no trusted proxy")
        return Peer(header.source or address, is_secure or header.is_secure, header.vpc_endpoint_id)

    def _watch(self) -> None:
        """Close the connections that owe us something for too long."""
        now = self._loop.time()
        for connection in self.server.connections:
            missing = connection.overdue(now)
            if missing is not None:
                log.debug("a connection is closed", missing=missing, address=connection.peer.address)
                connection.abort()
        self._tell()
        self._later(WATCH_SECONDS, self._watch)
