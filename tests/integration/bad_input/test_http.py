"""What is not HTTP/1.1, or only almost: sent to both planes, which answer alike, each in its own JSON."""

import asyncio
import contextlib
from collections.abc import Iterable

import pytest

from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.wire import exchange

PLANES = {
    "dataplane": (promises.oci_error, "UNSUPPORTED"),
    "controlplane": (promises.json_error, "MalformedHttpRequestException"),
}
GET = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v2/ HTTP/1.1\r\nHost: x\r\n"
EXPECTS = GET + b"Expect: banana\r\nConnection: close\r\n\r\n"
# A second request that must not be seen in the body of the first.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

NOT_HTTP = {
    "noise": ("method", bytes(range(256)) * 4 + b"\r\n\r\n"),
    "NULs": ("method", b"\0" * 300 + b"\r\n\r\n"),
    "the beginning of TLS": ("HTTPS", bytes.fromhex("160301020001000001fc0303") + b"\0" * 300 + b"\r\n\r\n"),
    "the preface of HTTP/2": ("PRI", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "the banner of SSH": ("method", b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "a greeting of SMTP": ("method", b"EHLO example.com\r\n\r\n"),
    "a command of Redis": ("method", b"*1\r\n$4\r\nPING\r\n\r\n"),
    "an answer": ("method", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "no method": ("method", b" / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no target": ("url", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no version": ("HTTP/", b"GET /v2/ \r\nHost: x\r\n\r\n"),
    "a version in small letters": ("HTTP/", b"GET /v2/ http/1.1\r\nHost: x\r\n\r\n"),
    "version 9.9": ("version", b"GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n"),
    "version 0.9": ("version", b"GET /v2/ HTTP/0.9\r\nHost: x\r\nConnection: close\r\n\r\n"),
    "version 2.0": ("version", b"GET /v2/ HTTP/2.0\r\nHost: x\r\nConnection: close\r\n\r\n"),
    "version 1.10": ("version", b"GET /v2/ HTTP/1.10\r\nHost: x\r\n\r\n"),
    "a version of another protocol": ("HTTP/", b"GET /v2/ ICY/1.1\r\nHost: x\r\n\r\n"),
    "a method in small letters": ("method", b"get /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method that there is not": ("method", b"PULL /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a blank in the target": ("status line", b"GET /v2/ /x HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a tab in the target": ("url", b"GET /v2/\tx HTTP/1.1\r\nHost: x\r\n\r\n"),
    "NUL in the target": ("url", b"GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "raw bytes in the target": ("url", b"GET /v2/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a target that is no path": ("url", b"GET v2 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a target with a port that is none": ("HTTP/1.1", b"GET http://x:port/v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
}

HEADERS = {
    "no colon": ("header token", GET + b"Accept\r\n\r\n"),
    "a blank before the colon": ("header token", GET + b"Accept : */*\r\n\r\n"),
    "no name": ("header token", GET + b": x\r\n\r\n"),
    "a name with a blank": ("header token", GET + b"Ac cept: x\r\n\r\n"),
    "a name with NUL": ("header token", GET + b"Ac\0cept: x\r\n\r\n"),
    "a name beyond ascii": ("header token", GET + b"Acc\xc3\xa9pt: x\r\n\r\n"),
    "a name with a slash": ("header token", GET + b"Ac/cept: x\r\n\r\n"),
    "a value with NUL": ("header value", GET + b"Accept: a\0b\r\n\r\n"),
    "a value with a control character": ("header value", GET + b"Accept: a\x01b\r\n\r\n"),
    "a value with a carriage return": ("LF after header value", GET + b"Accept: a\rX: b\r\n\r\n"),
    "a value that goes on in the next line": ("whitespace", GET + b"Accept: a\r\n b\r\n\r\n"),
    "a first line that goes on": ("space after start line", b"GET /v2/ HTTP/1.1\r\n Host: x\r\n\r\n"),
    "two hosts": ("'Host'", GET + b"Host: y\r\n\r\n"),
    "no host": ("'Host'", b"GET /v2/ HTTP/1.1\r\nAccept: */*\r\n\r\n"),
    "a host with a blank": ("Host", b"GET /v2/ HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"),
    "a host with a path": ("Host", b"GET /v2/ HTTP/1.1\r\nHost: x/v2/\r\nConnection: close\r\n\r\n"),
    "a host with a user": ("Host", b"GET /v2/ HTTP/1.1\r\nHost: user@x\r\nConnection: close\r\n\r\n"),
    "a host of 9,000 letters": (
        "Host",
        b"GET /v2/ HTTP/1.1\r\nHost: " + b"x" * 9000 + b"\r\nConnection: close\r\n\r\n",
    ),
}

LENGTHS = {
    "negative": ("Content-Length", POST + b"Content-Length: -1\r\n\r\n"),
    "with a sign": ("Content-Length", POST + b"Content-Length: +4\r\n\r\nabcd"),
    "of letters": ("Content-Length", POST + b"Content-Length: four\r\n\r\nabcd"),
    "hexadecimal": ("Content-Length", POST + b"Content-Length: 0x4\r\n\r\nabcd"),
    "with a point": ("Content-Length", POST + b"Content-Length: 4.0\r\n\r\nabcd"),
    "with a blank within": ("Content-Length", POST + b"Content-Length: 4 4\r\n\r\nabcd"),
    "nothing": ("Content-Length", POST + b"Content-Length: \r\n\r\n"),
    "of 40 digits": ("Content-Length", POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n"),
    "of 5,000 digits": ("Content-Length", POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    "with digits of another script": ("Content-Length", POST + b"Content-Length: \xd9\xa4\r\n\r\n"),
    "twice, different": ("Content-Length", POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
    "twice, the same": ("Content-Length", POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"),
    "a list": ("Content-Length", POST + b"Content-Length: 4, 4\r\n\r\nabcd"),
    "and chunked": (
        "Content-Length",
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    ),
    "after chunked": (
        "Content-Length",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    ),
    "0 and chunked": (
        "Content-Length",
        POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    ),
}

CODINGS = {
    "one that there is not": ("Transfer-Encoding", POST + b"Transfer-Encoding: zip\r\n\r\n"),
    "a misspelt one": ("Transfer-Encoding", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunked in quotes": ("Transfer-Encoding", POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "chunked and a vertical tab": ("header value", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "chunked, then another": ("Transfer-Encoding", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    "chunked twice": ("Transfer-Encoding", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in two lines": (
        "Transfer-Encoding",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked and another in two lines": (
        "Transfer-Encoding",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    ),
    "chunked in HTTP/1.0": (
        "Data after",
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    ),
    "a name with a blank": ("header field", POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED),
}

LIMITS = {
    "a target of 20,000 letters": ("longer than 16384", b"GET /v2/" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a query of 20,000 letters": ("longer than 16384", b"GET /v2/?" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a header of 20,000 letters": ("longer than 16384", GET + b"Accept: " + b"x" * 20_000 + b"\r\n\r\n"),
    "a header whose name has 20,000 letters": ("longer than 16384", GET + b"x" * 20_000 + b": x\r\n\r\n"),
    "200 headers": ("headers", GET + b"".join(b"X-%d: x\r\n" % number for number in range(200)) + b"\r\n"),
    "20,000 headers": ("headers", GET + b"".join(b"X-%d: x\r\n" % number for number in range(20_000)) + b"\r\n"),
    "a head without an end": ("longer than 16384", GET + b"X: " + b"x" * 40_000),
    "headers without an end": ("headers", GET + b"X: x\r\n" * 20_000),
}


# HTTP of other uses than an API's.
STRANGE = {
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
    "options of everything": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "the URL of another host": b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "a URL with a user": b"GET http://user:password@example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "a URL of a file": b"GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "a WebSocket": GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "an upgrade to HTTP/2": GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 1\r\n\r\n",
    "a fragment in the target": b"GET /v2/#x HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.0 without a host": b"GET /nothing HTTP/1.0\r\n\r\n",
}

# Floods: more than a server need read to the end before it hangs up.
FLOODS = {
    "a cookie of 2 megabytes": GET + b"Cookie: " + b"x" * 2_000_000 + b"\r\n\r\n",
    "100,000 headers": GET + b"".join(b"X-%d: x\r\n" % number for number in range(100_000)) + b"\r\n",
    "2 megabytes of noise": b"\x16\x03\x01" + b"\xff" * 2_000_000,
}


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", NOT_HTTP)
async def test_what_is_not_http_is_refused(place: Place, plane: str, fault: str) -> None:
    await check_malformed(place, plane, *NOT_HTTP[fault])


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", HEADERS)
async def test_a_malformed_header_is_refused(place: Place, plane: str, fault: str) -> None:
    await check_malformed(place, plane, *HEADERS[fault])


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", LENGTHS)
async def test_a_content_length_that_is_none_is_refused(place: Place, plane: str, fault: str) -> None:
    await check_malformed(place, plane, *LENGTHS[fault])


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", CODINGS)
async def test_a_transfer_coding_that_is_none_is_refused(place: Place, plane: str, fault: str) -> None:
    await check_malformed(place, plane, *CODINGS[fault])


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", LIMITS)
async def test_a_head_beyond_the_limits_is_refused(place: Place, plane: str, fault: str) -> None:
    await check_malformed(place, plane, *LIMITS[fault], statuses={400, 431})


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", STRANGE)
async def test_http_of_another_use_is_refused(place: Place, plane: str, fault: str) -> None:
    answer = await exchange(place.address(plane), STRANGE[fault])
    promises.check(answer, place.password, place.key.secret)
    PLANES[plane][0](answer)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("fault", FLOODS)
async def test_a_flood_is_refused_or_cut_off(place: Place, plane: str, fault: str) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await check_malformed(place, plane, "", FLOODS[fault], statuses={400, 431})


@pytest.mark.parametrize("plane", PLANES)
async def test_an_expectation_that_nobody_can_meet_is_refused(place: Place, plane: str) -> None:
    await check_malformed(place, plane, "100-continue", EXPECTS, statuses={417})


async def check_malformed(
    place: Place, plane: str, names: str, sent: bytes, *, statuses: Iterable[int] = (400,)
) -> None:
    """One answer, in the plane's own JSON, and nothing more: whatever follows is not taken for a request."""
    read, code = PLANES[plane]
    answer = await exchange(place.address(plane), sent, until_closed=True)
    promises.check(answer, place.password, place.key.secret)
    assert answer.status in statuses, answer
    assert not answer.rest, answer
    told, message = read(answer)
    assert told == code
    assert names in message, message
