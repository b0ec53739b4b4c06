"""The sockets of a HOST:PORT."""

import errno
import socket

BACKLOG = 1024
# An address family that the machine does not have is no fault of whoever wrote `localhost`.
ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class AddressUnusable(Exception):
    """Nobody can listen there now; the text says where and why."""


def bind(address: str) -> list[socket.socket]:
    """Sockets that listen at `address`: `localhost` is 127.0.0.1 and ::1, `[::]` is every address of both families.

    Port 0 is any free one. Raises AddressUnusable.
    """
    host, _, port = address.rpartition(":")
    sockets: list[socket.socket] = []
    try:
        for family, place in _places(host.strip("[]")):
            chosen = sockets[0].getsockname()[1] if sockets else int(port)
            listening = _listen(family, place, chosen)
            if listening is not None:
                sockets.append(listening)
    except OSError as error:
        for listening in sockets:
            listening.close()
        raise AddressUnusable(f"cannot listen at {address}: {error.strerror or error}") from error
    if not sockets:
        raise AddressUnusable(f"cannot listen at {address}: this machine has no such address")
    return sockets


def _places(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if host == "localhost":
        return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(place[0])) for family, _, _, _, place in found))


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket | None:
    """None where the machine lacks the address."""
    listening = None
    try:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        if listening is not None:
            listening.close()
        if error.errno in ABSENT:
            return None
        raise
    return listening
