"""What goes wrong before an operation is reached, or underneath it: always an error in the caller's own protocol."""

import asyncio
import gzip
import http.client
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import listener
from berth import repositories
from berth.database.db import Database, DatabaseUnavailable
from berth.identity.credentials.access_keys import AccessKey
from berth.settings import Settings
from berth.store.contract import StoreUnavailable
from controlplane import body
from controlplane.app import make_app
from tests.integration.controlplane.conftest import CountedPlane

PREFIX = "AmazonEC2ContainerRegistry_V20150921"
JSON_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def xml_code(self) -> str | None:
        return ElementTree.fromstring(self.body).findtext(".//{*}Code")


Send = Callable[..., Any]


@pytest.fixture
def send(plane: CountedPlane, root_key: AccessKey) -> Send:
    """Sends a request that is rightly signed, whatever is in it."""

    async def sender(
        content: bytes = b"{}",
        target: str | None = f"{PREFIX}.DescribeRepositories",
        *,
        method: str = "POST",
        path: str = "/",
        service: str = "ecr",
        headers: dict[str, str] | None = None,
        sent: bytes | None = None,
    ) -> Answer:
        host = urlsplit(plane.url).netloc
        given = {"Host": host, **(JSON_HEADERS if headers is None else headers)}
        if target is not None:
            given["X-Amz-Target"] = target
        request = AWSRequest(method, plane.url + path, headers=given, data=content)
        SigV4Auth(Credentials(root_key.id, root_key.secret), service, "us-east-1").add_auth(request)
        return await asyncio.to_thread(
            exchange, host, method, path, dict(request.headers.items()), content if sent is None else sent
        )

    return sender


def exchange(host: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


async def test_every_answer_has_a_request_id_and_its_protocols_content_type(send: Send) -> None:
    good = await send()
    bad = await send(b"[]")
    form = await send(b"Action=GetCallerIdentity&Version=2011-06-15", None, service="sts", headers=FORM_HEADERS)
    assert [answer.status for answer in (good, bad, form)] == [200, 400, 200]
    ids = {answer.headers["x-amzn-requestid"] for answer in (good, bad, form)}
    assert len(ids) == 3
    assert good.headers["content-type"] == bad.headers["content-type"] == "application/x-amz-json-1.1"
    assert form.headers["content-type"] == "text/xml"
    assert bad.headers["x-amzn-errortype"] == bad.json["__type"] == "SerializationException"


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"target": f"{PREFIX}.NoSuchThing"}, 400, "UnknownOperationException"),
        ({"target": "Other_V1.DescribeRepositories"}, 400, "UnknownOperationException"),
        ({"target": ""}, 400, "UnknownOperationException"),
        ({"target": None}, 400, "UnknownOperationException"),
        ({"method": "GET", "content": b""}, 404, "UnknownOperationException"),
        ({"method": "PUT"}, 404, "UnknownOperationException"),
        ({"method": "DELETE", "content": b""}, 404, "UnknownOperationException"),
        ({"path": "/v2/"}, 404, "UnknownOperationException"),
        ({"path": "/../../etc/passwd"}, 404, "UnknownOperationException"),
        ({"path": "/%2e%2e/"}, 404, "UnknownOperationException"),
        ({"content": b'{"repositoryNames": "x"}'}, 400, "SerializationException"),
        ({"content": b"\x00"}, 400, "SerializationException"),
        ({"content": b"[" * 100_000}, 400, "SerializationException"),
        ({"content": b'{"maxResults": 1e999}'}, 400, "SerializationException"),
        ({"content": b'{"registryId": "12"}'}, 400, "InvalidParameterException"),
        ({"content": b"{}", "sent": b'{"maxResults": 5}'}, 400, "InvalidSignatureException"),
        ({"service": "s3"}, 400, "InvalidSignatureException"),
        ({"content": b"x" * (1024 * 1024 + 1)}, 413, "RequestEntityTooLargeException"),
        (
            {"content": b"x" * (28 * 1024 * 1024 + 1), "target": f"{PREFIX}.UploadLayerPart"},
            413,
            "RequestEntityTooLargeException",
        ),
    ],
)
async def test_a_bad_json_request_gets_a_json_error(
    send: Send, members: dict[str, Any], status: int, code: str
) -> None:
    answer = await send(**members)
    assert (answer.status, answer.json["__type"]) == (status, code)
    assert answer.json["message"]
    assert answer.headers["x-amzn-errortype"] == code


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"content": b"Action=NoSuchThing&Version=2011-06-15"}, 400, "InvalidAction"),
        ({"content": b"Action=GetCallerIdentity&Version=1"}, 400, "InvalidAction"),
        ({"content": b""}, 400, "InvalidAction"),
        ({"content": b"Action=\xff"}, 400, "MalformedQueryString"),
        ({"content": b"Action"}, 400, "MalformedQueryString"),
        ({"content": b"Action=a&Action=b"}, 400, "MalformedQueryString"),
        ({"content": b"Action=GetCallerIdentity", "service": "ecr"}, 403, "SignatureDoesNotMatch"),
        ({"content": b"Action=GetCallerIdentity", "service": "iam"}, 400, "InvalidAction"),
        ({"content": b"Action=ListUsers&Version=2010-05-08"}, 400, "InvalidAction"),
        ({"content": b"Action=ListUsers&Version=2011-06-15", "service": "iam"}, 400, "InvalidAction"),
        ({"content": b"Action=ListUsers&MaxItems.a=1", "service": "iam"}, 400, "MalformedQueryString"),
        ({"content": b"Action=ListUsers&MaxItems=x", "service": "iam"}, 400, "MalformedQueryString"),
        ({"content": b"Action=CreateRole" + b"x" * 1024 * 1024, "service": "iam"}, 413, "RequestEntityTooLarge"),
        ({"content": b"x" * (64 * 1024 + 1)}, 413, "RequestEntityTooLarge"),
        ({"content": b"", "method": "GET", "path": "/?Action=Nothing"}, 400, "InvalidAction"),
        ({"content": b"Action=GetCallerIdentity", "path": "/other"}, 400, "InvalidAction"),
    ],
)
async def test_a_bad_query_request_gets_an_xml_error(
    send: Send, members: dict[str, Any], status: int, code: str
) -> None:
    answer = await send(**{"target": None, "service": "sts", "headers": FORM_HEADERS, **members})
    assert (answer.status, answer.xml_code) == (status, code)


async def test_the_query_protocol_is_spoken_by_get_too(send: Send) -> None:
    answer = await send(
        b"", None, method="GET", path="/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", headers={}
    )
    assert (answer.status, b"<Account>" in answer.body) == (200, True)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "MissingAuthenticationTokenException"),
        ({"Authorization": "Basic eDp5"}, 400, "MissingAuthenticationTokenException"),
        ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, 400, "IncompleteSignatureException"),
        # STS has an operation for strangers, whose forms are short.
        ({**FORM_HEADERS, "Content-Length": "65537"}, 413, None),
        ({**FORM_HEADERS, "Authorization": "Basic eDp5"}, 403, None),
    ],
)
async def test_a_stranger_is_turned_away_before_the_body_is_read(
    plane: CountedPlane, headers: dict[str, str], status: int, code: str | None
) -> None:
    """The body is never sent: an answer that came has not waited for it."""
    host = urlsplit(plane.url).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    head = {"Host": host, "Content-Length": "1000", **headers}
    writer.write(b"POST / HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    assert int(line.split()[1]) == status
    fields = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().lower()
    assert code is None or f"x-amzn-errortype: {code.lower()}" in fields
    writer.close()
    await writer.wait_closed()


@pytest.fixture
def half_sent(plane: CountedPlane, root_key: AccessKey) -> Callable[[bytes], bytes]:
    """The head of a request that is rightly signed, with what is said of its body."""

    def make(framing: bytes) -> bytes:
        host = urlsplit(plane.url).netloc
        given = {"Host": host, "X-Amz-Target": f"{PREFIX}.DescribeRepositories"}
        request = AWSRequest("POST", plane.url + "/", headers=given, data=b"{}")
        SigV4Auth(Credentials(root_key.id, root_key.secret), "ecr", "us-east-1").add_auth(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return b"POST / HTTP/1.1\r\n" + lines.encode() + framing

    return make


@pytest.mark.parametrize(
    ("framing", "status", "code"),
    [
        (b"Content-Length: 2\r\n\r\n{}", 200, None),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, None),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "MalformedHttpRequestException"),
        (b"Content-Length: 2\r\n\r\n{", 408, "RequestTimeoutException"),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 408, "RequestTimeoutException"),
        (b"Content-Length: x\r\n\r\n", 400, "MalformedHttpRequestException"),
        (b"Content-Length: -1\r\n\r\n", 400, "MalformedHttpRequestException"),
    ],
)
async def test_a_body_that_does_not_arrive_whole_is_not_waited_for_forever(
    plane: CountedPlane,
    half_sent: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
    framing: bytes,
    status: int,
    code: str | None,
) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.5)
    host = urlsplit(plane.url).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(half_sent(framing))
    line = await asyncio.wait_for(reader.readline(), 10)
    assert int(line.split()[1]) == status
    fields = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().lower()
    assert code is None or f"x-amzn-errortype: {code.lower()}" in fields
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_goes_away_is_no_fault_of_ours(
    plane: CountedPlane, half_sent: Callable[[bytes], bytes]
) -> None:
    host = urlsplit(plane.url).netloc
    with structlog.testing.capture_logs() as logged:
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(half_sent(b"Content-Length: 1000\r\n\r\n{"))
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    assert [line for line in logged if line["log_level"] in ("warning", "error")] == []


async def test_a_body_may_come_packed_and_takes_no_more_room_than_another(send: Send) -> None:
    packed = JSON_HEADERS | {"Content-Encoding": "gzip"}
    answer = await send(gzip.compress(b'{"maxResults": 5}'), headers=packed)
    assert (answer.status, answer.json) == (200, {"repositories": []})
    refused = await send(gzip.compress(b'{"maxResults": 0}'), headers=packed)
    assert "maxResults" in refused.json["message"]
    bomb = await send(gzip.compress(b" " * (64 * 1024 * 1024)), headers=packed)
    assert (bomb.status, bomb.json["__type"]) == (413, "RequestEntityTooLargeException")


async def test_a_request_may_name_the_whole_url(plane: CountedPlane, half_sent: Callable[[bytes], bytes]) -> None:
    host = urlsplit(plane.url).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    whole = half_sent(b"Content-Length: 2\r\n\r\n{}").replace(b"POST / ", f"POST {plane.url}/ ".encode(), 1)
    writer.write(whole)
    line = await asyncio.wait_for(reader.readline(), 10)
    assert int(line.split()[1]) == 200
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("error", [DatabaseUnavailable("gone"), StoreUnavailable("full")])
async def test_a_call_that_cannot_be_served_now_is_to_be_tried_again(
    send: Send, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def page(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(repositories, "page", page)
    answer = await send()
    assert (answer.status, answer.json["__type"]) == (503, "ServerException")
    assert "again" in answer.json["message"]


async def test_a_fault_of_our_own_is_logged_and_told_without_details(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the secret plan")

    monkeypatch.setattr(repositories, "page", page)
    with structlog.testing.capture_logs() as logged:
        answer = await send()
    assert (answer.status, answer.json["__type"]) == (500, "ServerException")
    assert b"secret plan" not in answer.body
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["a call failed"]


async def test_without_its_database_the_plane_answers_and_is_not_ready(
    settings: Settings, root_key: AccessKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listener.listening(make_app, settings, "localhost:0") as address:

        def refuse(*_given: object, **_named: object) -> Any:
            raise DatabaseUnavailable("gone")

        monkeypatch.setattr(Database, "reading", refuse)
        monkeypatch.setattr(Database, "ask", refuse)
        host = str(address)
        assert (await asyncio.to_thread(exchange, host, "GET", "/healthz", {}, b"")).status == 200
        assert (await asyncio.to_thread(exchange, host, "GET", "/readyz", {}, b"")).status == 503
        request = AWSRequest("POST", f"http://{host}/", headers={"Host": host}, data=b"{}")
        SigV4Auth(Credentials(root_key.id, root_key.secret), "ecr", "us-east-1").add_auth(request)
        answer = await asyncio.to_thread(exchange, host, "POST", "/", dict(request.headers.items()), b"{}")
        assert (answer.status, answer.json["__type"]) == (503, "ServerException")
