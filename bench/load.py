"""Small requests, many: a few keep-alive connections, one request in flight on each, all in this one process."""

import itertools
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.wire import RECEIVE_BYTES, TIMEOUT_SECONDS, Address, AnswerBroken, Incoming

MOST_REQUESTS = 200_000


@dataclass(frozen=True, slots=True)
class Load:
    """What was asked of a server in one round."""

    # Requests, images or bytes.
    done: float
    # Answers with another status than expected.
    wrong: int
    seconds: float


@dataclass(slots=True)
class _Line:
    socket: socket.socket
    incoming: Incoming


def drive(
    address: Address,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    again: bool = True,
    status: int = 200,
) -> Load:
    """Send the requests until the time is over, or, unless they may be sent `again`, until there are no more.

    Ends when all that was sent is answered. Raises AnswerBroken and OSError.
    """
    waiting = itertools.islice(itertools.cycle(requests) if again else requests, MOST_REQUESTS)
    headless = requests[0].startswith(b"HEAD ")
    done = wrong = 0
    with selectors.DefaultSelector() as selector:
        lines = [_Line(address.connect(), Incoming()) for _ in range(connections)]
        try:
            started = time.perf_counter()
            deadline = started + seconds
            flying = sum(_send(line, waiting, headless) and _register(selector, line) for line in lines)
            while flying:
                ready = selector.select(TIMEOUT_SECONDS)
                if not ready:
                    raise AnswerBroken(f"no answer within {TIMEOUT_SECONDS:.0f} s")
                for key, _ in ready:
                    line: _Line = key.data
                    if not line.incoming.feed(line.socket.recv(RECEIVE_BYTES)):
                        continue
                    done += 1
                    wrong += line.incoming.status != status
                    if line.incoming.closes:
                        _reconnect(selector, line, address)
                    if time.perf_counter() >= deadline or not _send(line, waiting, headless):
                        selector.unregister(line.socket)
                        flying -= 1
            return Load(done, wrong, time.perf_counter() - started)
        finally:
            for line in lines:
                line.socket.close()


def _send(line: _Line, waiting: Iterator[bytes], headless: bool) -> bool:
    request = next(waiting, None)
    if request is None:
        return False
    line.incoming = Incoming(headless=headless)
    line.socket.sendall(request)
    return True


def _register(selector: selectors.BaseSelector, line: _Line) -> bool:
    selector.register(line.socket, selectors.EVENT_READ, line)
    return True


def _reconnect(selector: selectors.BaseSelector, line: _Line, address: Address) -> None:
    selector.unregister(line.socket)
    line.socket.close()
    line.socket = address.connect()
    _register(selector, line)
