"""The bench's own client: it must know where an answer ends, or it measures something else."""

import pytest

from bench.wire import Address, AnswerBroken, Incoming, request

HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"


def arrived(*pieces: bytes, headless: bool = False) -> tuple[Incoming, list[bool]]:
    incoming = Incoming(headless=headless)
    return incoming, [incoming.feed(piece) for piece in pieces]


def test_an_answer_of_known_length_ends_there() -> None:
    incoming, whole = arrived(HEAD + b"content-LENGTH: 5\r\n", b"\r\nab", b"cde")
    assert whole == [False, False, True]
    assert (incoming.status, incoming.answer().body, incoming.size) == (200, b"abcde", 5)
    assert incoming.answer().header("server") == "x"


def test_a_chunked_answer_ends_with_its_last_chunk() -> None:
    _, whole = arrived(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"0\r\n\r\n")
    assert whole == [False, True]


@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content"])
def test_an_answer_without_a_body_ends_with_its_head(status: bytes) -> None:
    _, whole = arrived(b"HTTP/1.1 " + status + b"\r\nContent-Length: 7\r\n\r\n", headless=True)
    assert whole == [True]


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    incoming, whole = arrived(HEAD + b"\r\nabc", b"")
    assert whole == [False, True]
    assert incoming.closes


@pytest.mark.parametrize("pieces", [(b"",), (HEAD + b"Content-Length: 5\r\n\r\nab", b""), (b"SSH-2.0-x\r\n\r\n",)])
def test_a_broken_answer_is_told_from_a_whole_one(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(AnswerBroken):
        arrived(*pieces)


def test_a_request_tells_the_length_of_a_body_sent_apart() -> None:
    made = request("PATCH", "/x", Address("127.0.0.1", 80), {"A": "b"}, length=7)
    assert (
        made
        == b"PATCH /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: berth-bench\r\nA: b\r\nContent-Length: 7\r\n\r\n"
    )
