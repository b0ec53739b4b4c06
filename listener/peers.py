"""Who is at the other end: the client itself, through whatever trusted proxies stand between."""

import re
from dataclasses import dataclass, replace

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from berth.networks.places import ANYWHERE, Place
from berth.networks.proxies import Networks, among, plain_address

FOR, PROTO, HOST = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"
VPC_ENDPOINT_ID = re.compile(r"vpce-[0-9a-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request comes from.

    `address` is the client's, IPv4 or IPv6 without a port; `is_secure` says whether the client speaks TLS, to us or to
    the proxy; `vpc_endpoint_id` ("vpce-…") is what a load balancer of AWS said by the PROXY protocol, or a trusted
    proxy by its header; `place` is what the settings say of the network that it is in.
    """

    address: str
    is_secure: bool = False
    vpc_endpoint_id: str | None = None
    place: Place = ANYWHERE


Headers = CIMultiDictProxy[str]
PEER: web.RequestKey[Peer] = web.RequestKey("peer", Peer)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What the nearest proxies say of a request: the client's address, scheme and host, None where they do not."""

    address: str | None
    scheme: str | None
    host: str | None


def is_forwarded(headers: Headers) -> bool:
    return FOR in headers or PROTO in headers or HOST in headers


def forwarding(headers: Headers, trusted: Networks) -> Forwarding:
    """Read the X-Forwarded headers of a request that came from a trusted proxy.

    Each proxy appends the address that it sees, so they are read from the end for as long as they are trusted
    proxies' own; what stands before was written by somebody whom nobody vouches for. RFC 7239's `Forwarded` does not
    count: a proxy that keeps to one kind of headers hands the other kind on as a client made it up.
    """
    hops = _listed(headers, FOR)
    client = None
    depth = 0
    for hop in reversed(hops):
        address = plain_address(_without_port(hop))
        if address is None:
            break
        client = address
        depth += 1
        if not among(trusted, address):
            break
    scheme = _of_hop(_listed(headers, PROTO), depth).lower()
    host = _of_hop(_listed(headers, HOST), depth)
    return Forwarding(client, scheme if scheme in ("http", "https") else None, host or None)


def _listed(headers: Headers, name: str) -> list[str]:
    return [value.strip() for line in headers.getall(name, []) for value in line.split(",")]


def _of_hop(values: list[str], depth: int) -> str:
    """What the proxy that saw the client said: the same place from the end, or the first where there are fewer."""
    return values[-min(max(depth, 1), len(values))] if values else ""


def _without_port(hop: str) -> str:
    """`192.0.2.1:4711` and `[2001:db8::1]:4711` are written by some proxies."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def as_forwarded(headers: Headers, peer: Peer, trusted: Networks) -> tuple[Headers, Peer]:
    """The headers, with the `Host` that the client asked, and the peer that made the request to the proxy."""
    said = forwarding(headers, trusted)
    is_secure = said.scheme == "https" if said.scheme else peer.is_secure
    if said.host:
        changed = CIMultiDict(headers)
        changed["Host"] = said.host
        headers = CIMultiDictProxy(changed)
    return headers, Peer(said.address or peer.address, is_secure, peer.vpc_endpoint_id)


def through_endpoint(headers: Headers, peer: Peer, name: str) -> Peer:
    """The peer, through the VPC endpoint that a trusted proxy tells in the header of that name, if it tells one."""
    told = headers.getall(name, [])
    if len(told) != 1 or not VPC_ENDPOINT_ID.fullmatch(told[0]):
        return peer
    return replace(peer, vpc_endpoint_id=told[0])


def peer_of(request: web.BaseRequest) -> Peer:
    """Who made the request, as far as trusted proxies tell."""
    seen: Peer | None = request.get(PEER) or getattr(request.protocol, "peer", None)
    assert seen is not None, "every connection has one"  # noqa: S101
    return seen
