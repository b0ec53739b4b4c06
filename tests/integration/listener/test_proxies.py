"""Behind proxies: those that are trusted say whom they speak for; what anybody else says of it does not count."""

import asyncio
import json

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from multidict import CIMultiDict, CIMultiDictProxy

import controlplane.app
import dataplane.app
import listener
from berth.identity.credentials.access_keys import AccessKey
from berth.networks.proxies import parse_networks
from berth.settings import Settings
from listener.peers import Forwarding, forwarding
from tests.integration.listener.conftest import Listen
from tests.integration.listener.plane import connection, exchange

SPOOFED = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: registry.example.com",
    "Forwarded: for=198.51.100.1;proto=https;host=other.example.com",
)


async def who(address: listener.Address, *fields: str) -> dict[str, object]:
    async with connection(address) as (reader, writer):
        found: dict[str, object] = json.loads(await exchange(reader, writer, "/who", *fields))
        return found


async def test_nobody_is_trusted_by_default(listen: Listen) -> None:
    async with listen() as address:
        seen = await who(address, *SPOOFED)
    assert seen == {"address": "127.0.0.1", "is_secure": False, "vpc_endpoint_id": None, "host": "berth.test"}


async def test_who_is_no_trusted_proxy_cannot_speak_for_others(listen: Listen) -> None:
    async with listen(trusted_proxies="10.0.0.0/8, fd00::/8") as address:
        seen = await who(address, *SPOOFED)
    assert seen == {"address": "127.0.0.1", "is_secure": False, "vpc_endpoint_id": None, "host": "berth.test"}


async def test_a_trusted_proxy_says_whom_it_speaks_for(listen: Listen) -> None:
    async with listen(trusted_proxies="127.0.0.0/8") as address:
        seen = await who(address, *SPOOFED)
    assert seen == {
        "address": "203.0.113.9",
        "is_secure": True,
        "vpc_endpoint_id": None,
        "host": "registry.example.com",
    }


async def test_what_a_trusted_proxy_does_not_say_stays_as_it_is_seen(listen: Listen) -> None:
    async with listen(trusted_proxies="127.0.0.1") as address, connection(address) as (reader, writer):
        first = json.loads(await exchange(reader, writer, "/who", "X-Forwarded-Proto: https"))
        second = json.loads(await exchange(reader, writer, "/who"))
    assert first == {"address": "127.0.0.1", "is_secure": True, "vpc_endpoint_id": None, "host": "berth.test"}
    assert second["is_secure"] is False, "it holds for one request"


async def test_a_forwarded_host_that_is_none_is_refused(listen: Listen) -> None:
    async with listen(trusted_proxies="127.0.0.1") as address:
        answer = await bad(address, "X-Forwarded-Host: a b")
    assert b"is not the name of a host" in answer


async def bad(address: listener.Address, *fields: str) -> bytes:
    async with connection(address) as (reader, writer):
        return await exchange(reader, writer, "/who", *fields)


async def test_bytes_that_are_no_text_in_the_headers_do_no_harm(listen: Listen) -> None:
    async with listen(trusted_proxies="127.0.0.1") as address, connection(address) as (reader, writer):
        writer.write(b"GET /who HTTP/1.1\r\nHost: x\r\nX-Other: \xff\xfe\r\nX-Forwarded-For: \xff\xfe\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")


async def test_a_signature_holds_behind_a_proxy_that_changes_the_host(settings: Settings, root_key: AccessKey) -> None:
    """The client signs the host that it asks; the proxy asks Berth by another name."""
    trusting = settings.model_copy(update={"trusted_proxies": parse_networks("127.0.0.1")})
    async with listener.listening(controlplane.app.make_app, trusting, "127.0.0.1:0") as address:

        def forward(request: AWSPreparedRequest, **_: object) -> None:
            request.headers["X-Forwarded-Host"] = str(address)
            request.headers["Host"] = "berth-api.internal:4500"

        client = boto3.client(
            "sts",
            endpoint_url=f"http://{address}",
            region_name="us-east-1",
            aws_access_key_id=root_key.id,
            aws_secret_access_key=root_key.secret,
        )
        client.meta.events.register("before-send.sts", forward)
        found = await asyncio.to_thread(client.get_caller_identity)
        assert found["Account"] == root_key.principal.account


async def test_the_registry_is_found_by_the_host_that_the_client_asked(settings: Settings) -> None:
    known = {
        "trusted_proxies": parse_networks("127.0.0.1"),
        "registry_host": "{account}.dkr.ecr.{region}.example.com",
        "registry_scheme": "https",
    }
    asked = "123456789012.dkr.ecr.eu-west-1.example.com"
    changed = settings.model_copy(update=known)
    async with (
        listener.listening(dataplane.app.make_app, changed, "127.0.0.1:0") as address,
        connection(address) as (reader, writer),
    ):
        writer.write(f"GET /v2/ HTTP/1.1\r\nHost: inner\r\nX-Forwarded-Host: {asked}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401")
    assert f'Basic realm="https://{asked}/",service="ecr.amazonaws.com"'.encode() in head


TRUSTED = parse_networks("10.0.0.0/8, 192.0.2.1, fd00::/8")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"for": ["203.0.113.9"]}, ("203.0.113.9", None, None)),
        # Whoever is not trusted may have written what stands before.
        ({"for": ["6.6.6.6, 203.0.113.9"]}, ("203.0.113.9", None, None)),
        ({"for": ["6.6.6.6, 203.0.113.9, 10.0.0.7"]}, ("203.0.113.9", None, None)),
        ({"for": ["6.6.6.6", "203.0.113.9", "10.0.0.7, 192.0.2.1"]}, ("203.0.113.9", None, None)),
        # The client is in a trusted network itself.
        ({"for": ["10.1.1.1, 10.0.0.7"]}, ("10.1.1.1", None, None)),
        ({"for": ["203.0.113.9:4711"]}, ("203.0.113.9", None, None)),
        ({"for": ["[2001:db8::9]:4711"]}, ("2001:db8::9", None, None)),
        ({"for": ["2001:DB8::9"]}, ("2001:db8::9", None, None)),
        ({"for": ["::ffff:203.0.113.9"]}, ("203.0.113.9", None, None)),
        ({"for": ["unknown"]}, (None, None, None)),
        ({"for": ["203.0.113.9, unknown, 10.0.0.7"]}, ("10.0.0.7", None, None)),
        ({"for": [""]}, (None, None, None)),
        ({"proto": ["HTTPS"]}, (None, "https", None)),
        ({"proto": ["gopher"]}, (None, None, None)),
        # A client's own word stands before the proxy's.
        ({"for": ["203.0.113.9"], "proto": ["https, http"]}, ("203.0.113.9", "http", None)),
        # Two proxies, of which each adds what it sees, or of which the first alone says it.
        ({"for": ["203.0.113.9, 10.0.0.7"], "proto": ["https, http"]}, ("203.0.113.9", "https", None)),
        ({"for": ["203.0.113.9, 10.0.0.7"], "proto": ["https"]}, ("203.0.113.9", "https", None)),
        ({"host": ["evil.example, registry.example.com"]}, (None, None, "registry.example.com")),
    ],
)
def test_the_headers_are_read_from_the_end(
    fields: dict[str, list[str]], said: tuple[str | None, str | None, str | None]
) -> None:
    headers = CIMultiDict(
        (f"X-Forwarded-{name.capitalize()}", value) for name, values in fields.items() for value in values
    )
    assert forwarding(CIMultiDictProxy(headers), TRUSTED) == Forwarding(*said)
