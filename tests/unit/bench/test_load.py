"""The load: bounded, all answered, and counted."""

import socket
import threading
from collections.abc import Iterator

import pytest

from bench.load import drive
from bench.wire import Address

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@pytest.fixture
def server() -> Iterator[Address]:
    """Answers each request with 200, but closes the connection after every third answer."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            for close in (b"", b"", b"Connection: close\r\n"):
                if not connection.recv(65536):
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + close + b"\r\nok")

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    yield Address(*listening.getsockname())
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_each_request_is_sent_once_where_none_may_be_sent_again(server: Address) -> None:
    load = drive(server, [REQUEST] * 20, connections=3, seconds=30, again=False)
    assert (load.done, load.wrong) == (20, 0)


def test_the_time_ends_a_round_of_requests_that_may_be_sent_again(server: Address) -> None:
    load = drive(server, [REQUEST], connections=2, seconds=0.2)
    assert load.done > 2
    assert 0.2 <= load.seconds < 10


def test_answers_of_another_status_are_counted(server: Address) -> None:
    assert drive(server, [REQUEST] * 4, connections=1, seconds=30, again=False, status=201).wrong == 4
