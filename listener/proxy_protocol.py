"""The PROXY protocol: what a load balancer says of a connection before its first byte.

haproxy.org, proxy-protocol.txt, whose sections the comments name.

Both versions, read without a byte too many: what follows, TLS or HTTP, stays in the socket for whoever reads it.
"""

import asyncio
import re
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FIXED = struct.Struct("!12sBBH")
# Addresses take at most 216 bytes. AWS adds some tens, a proxy that tells of its TLS a few hundred.
MAX_BYTES = 2048
# "2.1. Human-readable header format": the worst case, with its end of line.
MAX_LINE_BYTES = 107

LOCAL, PROXY = 0x20, 0x21
UNSPECIFIED, TCP4, TCP6, UNIX = 0x00, 0x11, 0x21, 0x31
ADDRESS_BYTES = {UNSPECIFIED: 0, TCP4: 12, TCP6: 36, UNIX: 216}
TYPE_SSL, SSL_FIXED_BYTES, CLIENT_SSL = 0x20, 5, 0x01
# Elastic Load Balancing user guide, "Proxy protocol": PP2_TYPE_AWS with PP2_SUBTYPE_AWS_VPCE_ID.
TYPE_AWS, AWS_VPC_ENDPOINT_ID = 0xEA, 0x01
VPC_ENDPOINT_ID = re.compile(rb"vpce-[0-9a-z]{1,64}")

LINE = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]{1,5}) ([0-9]{1,5})\r\n")
UNKNOWN_LINE = re.compile(rb"PROXY UNKNOWN( [ -~]*)?\r\n")


class Malformed(Exception):
    """What came is no header of the PROXY protocol."""


@dataclass(frozen=True, slots=True)
class Header:
    """`is_local`: the proxy speaks for itself. `source` is None where the proxy does not know, or it is no address."""

    is_local: bool = False
    source: str | None = None
    is_secure: bool = False
    vpc_endpoint_id: str | None = None


async def receive(connection: socket.socket) -> Header:
    """The header at the beginning of the (non-blocking) connection. Raises Malformed, EOFError, OSError."""
    start = await _exactly(connection, len(SIGNATURE))
    if start == SIGNATURE:
        start += await _exactly(connection, FIXED.size - len(SIGNATURE))
        length = FIXED.unpack(start)[3]
        if length > MAX_BYTES - FIXED.size:
            raise Malformed
        return parse(start, await _exactly(connection, length))
    if not start.startswith(b"PROXY "):
        raise Malformed
    while not start.endswith(b"\r\n"):
        if len(start) >= MAX_LINE_BYTES:
            raise Malformed
        start += await _exactly(connection, 1)
    return parse_line(start)


async def _exactly(connection: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < size:
        more = await loop.sock_recv(connection, size - len(received))
        if not more:
            raise EOFError
        received += more
    return received


def parse_line(line: bytes) -> Header:
    """Version 1. Raises Malformed."""
    if UNKNOWN_LINE.fullmatch(line):
        return Header()
    matched = LINE.fullmatch(line)
    if matched is None:
        raise Malformed
    kind = IPv4Address if matched[1] == b"TCP4" else IPv6Address
    try:
        source, _ = kind(matched[2].decode()), kind(matched[3].decode())
    except ValueError:
        raise Malformed from None
    if max(int(matched[4]), int(matched[5])) > 0xFFFF:
        raise Malformed
    return Header(source=str(source))


def parse(fixed: bytes, rest: bytes) -> Header:
    """Version 2, of which `fixed` are the first 16 bytes. Raises Malformed."""
    signature, command, family, length = FIXED.unpack(fixed)
    if signature != SIGNATURE or length != len(rest) or command not in (LOCAL, PROXY):
        raise Malformed
    if command == LOCAL:
        # "the receiver must accept this connection as valid and must use the real connection endpoints and discard
        # the protocol block".
        return Header(is_local=True)
    size = ADDRESS_BYTES.get(family)
    if size is None or len(rest) < size:
        raise Malformed
    source = None
    if family in (TCP4, TCP6):
        source = str(ip_address(rest[: 4 if family == TCP4 else 16]))
    return _with_details(source, _details(rest[size:]))


def _with_details(source: str | None, details: dict[int, bytes]) -> Header:
    ssl = details.get(TYPE_SSL)
    if ssl is not None and len(ssl) < SSL_FIXED_BYTES:
        raise Malformed
    endpoint = None
    aws = details.get(TYPE_AWS, b"")
    if aws[:1] == bytes([AWS_VPC_ENDPOINT_ID]):
        if VPC_ENDPOINT_ID.fullmatch(aws[1:]) is None:
            raise Malformed
        endpoint = aws[1:].decode()
    return Header(source=source, is_secure=bool(ssl and ssl[0] & CLIENT_SSL), vpc_endpoint_id=endpoint)


def _details(content: bytes) -> dict[int, bytes]:
    """The values by type ("2.2. Binary header format", TLV); of two of one type the first."""
    details: dict[int, bytes] = {}
    while content:
        if len(content) < 3:
            raise Malformed
        kind, length = struct.unpack("!BH", content[:3])
        if len(content) < 3 + length:
            raise Malformed
        details.setdefault(kind, content[3 : 3 + length])
        content = content[3 + length :]
    return details
