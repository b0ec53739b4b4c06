"""The PROXY protocol: what a load balancer says before HTTP, and before TLS; who may say it, and for how long."""

import ipaddress
import json
import struct
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import listener
from listener.proxy_protocol import FIXED, SIGNATURE, Header, Malformed, parse, parse_line
from tests.authority import Authority
from tests.integration.listener.conftest import Listen
from tests.integration.listener.plane import connection, exchange, is_closed

VPC_ENDPOINT = b"\x01vpce-08d2bf15fac5001c9"
CLIENT = "203.0.113.9"
LINE = f"PROXY TCP4 {CLIENT} 10.0.0.1 4711 443\r\n".encode()


def details(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("!BH", kind, len(value)) + value for kind, value in pairs)


def header(source: str = CLIENT, *pairs: tuple[int, bytes], command: int = 0x21) -> bytes:
    """Version 2, as a balancer for the client at `source`."""
    address = ipaddress.ip_address(source)
    family = 0x11 if address.version == 4 else 0x21
    block = address.packed * 2 + struct.pack("!HH", 4711, 443) + details(*pairs)
    return FIXED.pack(SIGNATURE, command, family, len(block)) + block


LOCAL = FIXED.pack(SIGNATURE, 0x20, 0, 0)


async def who(address: listener.Address, before: bytes, *fields: str) -> dict[str, object]:
    async with connection(address, before=before) as (reader, writer):
        found: dict[str, object] = json.loads(await exchange(reader, writer, "/who", *fields))
        return found


async def test_the_client_and_its_endpoint_are_known(listen: Listen) -> None:
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1") as address:
        seen = await who(address, header(CLIENT, (0x04, b"\0" * 300), (0xEA, VPC_ENDPOINT)))
        assert seen["address"] == CLIENT
        assert seen["vpc_endpoint_id"] == "vpce-08d2bf15fac5001c9"
        assert seen["is_secure"] is False
        assert (await who(address, header("2001:db8::9")))["address"] == "2001:db8::9"
        assert (await who(address, LINE))["address"] == CLIENT
        assert (await who(address, b"PROXY UNKNOWN\r\n"))["address"] == "127.0.0.1"
        assert (await who(address, LOCAL))["address"] == "127.0.0.1"


async def test_it_stands_before_tls(listen: Listen, authority: Authority, tls: dict[str, Path]) -> None:
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1", **tls) as address:
        for before in (header(CLIENT, (0xEA, VPC_ENDPOINT)), LINE):
            async with connection(address, authority.trusting(), before) as (reader, writer):
                seen = json.loads(await exchange(reader, writer, "/who"))
            assert seen["address"] == CLIENT
            assert seen["is_secure"] is True


async def test_a_proxy_that_ended_tls_says_so(listen: Listen) -> None:
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1") as address:
        seen = await who(address, header(CLIENT, (0x20, b"\x01\0\0\0\0")))
        assert seen["is_secure"] is True


async def test_a_client_behind_the_balancer_is_no_proxy_unless_it_is_one(listen: Listen) -> None:
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1, 10.0.0.0/8") as address:
        spoofed = await who(address, header(CLIENT), "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https")
        assert spoofed["address"] == CLIENT
        assert spoofed["is_secure"] is False
        inner = await who(address, header("10.0.0.7"), "X-Forwarded-For: 198.51.100.3", "X-Forwarded-Proto: https")
        assert inner["address"] == "198.51.100.3"
        assert inner["is_secure"] is True


@pytest.mark.parametrize(
    "before",
    [
        b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PROXY TCP4 203.0.113.9 10.0.0.1 4711\r\n",
        b"PROXY " + b"x" * 200,
        SIGNATURE + b"\x31\x11\x00\x00",
        FIXED.pack(SIGNATURE, 0x21, 0x11, 4) + b"\0" * 4,
        FIXED.pack(SIGNATURE, 0x21, 0x11, 65_535),
        header(CLIENT, (0xEA, b"\x01; DROP TABLE")),
    ],
)
async def test_garbage_closes_the_connection(listen: Listen, before: bytes) -> None:
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1") as address:
        async with connection(address, before=before) as (reader, _):
            assert await is_closed(reader)
        assert (await who(address, header()))["address"] == CLIENT


async def test_only_a_trusted_proxy_may_speak_for_others(listen: Listen) -> None:
    async with listen(is_proxied=True, trusted_proxies="10.0.0.0/8") as address:
        for before in (header(), LINE, b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"):
            async with connection(address, before=before) as (reader, _):
                assert await is_closed(reader)
        assert (await who(address, LOCAL))["address"] == "127.0.0.1", "this machine may ask in its own name"


async def test_where_it_is_not_expected_it_is_no_http(listen: Listen) -> None:
    async with listen(trusted_proxies="127.0.0.1") as address, connection(address, before=header()) as (reader, _):
        assert (await reader.read()).startswith(b"HTTP/1.0 400")


async def test_a_stalled_header_is_closed(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.accepting.ADMISSION_SECONDS", 0.5)
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1") as address:
        for part in (b"", SIGNATURE[:5], header()[:-3], LINE[:20]):
            async with connection(address, before=part) as (reader, _):
                assert await is_closed(reader)


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
others = st.lists(st.tuples(st.integers(0, 255).filter(lambda kind: kind not in (0x20, 0xEA)), st.binary(max_size=60)))


@given(addresses, others, others)
def test_the_source_is_what_the_proxy_wrote(
    source: ipaddress.IPv4Address | ipaddress.IPv6Address,
    before: list[tuple[int, bytes]],
    after: list[tuple[int, bytes]],
) -> None:
    written = header(str(source), *before, (0xEA, VPC_ENDPOINT), *after)
    found = parse(written[:16], written[16:])
    assert found == Header(source=str(source), vpc_endpoint_id="vpce-08d2bf15fac5001c9")
    if source.version == 4:
        line = f"PROXY TCP4 {source} {source} 1 65535\r\n"
    else:
        line = f"PROXY TCP6 {source} {source} 1 65535\r\n"
    assert parse_line(line.encode()).source == str(source)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=300))
@example(0x21, 0x11, b"\0" * 12 + b"\x20\0\0")
def test_whatever_comes_it_is_a_header_or_malformed(command: int, family: int, rest: bytes) -> None:
    try:
        found = parse(FIXED.pack(SIGNATURE, command, family, len(rest)), rest)
    except Malformed:
        return
    assert command in (0x20, 0x21)
    assert found.source is None or ipaddress.ip_address(found.source)


@given(st.binary(max_size=110))
@example(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n")
@example(b"PROXY TCP6 1.2.3.4 1.2.3.4 1 6553\r\n")
@example(b"PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n")
def test_whatever_line_comes_it_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        parse_line(line)
