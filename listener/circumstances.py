"""How a request came, as policies ask about it."""

from datetime import UTC, datetime

from aiohttp import web

from berth.identity.policies.context import Circumstances
from listener.peers import Headers, Peer, peer_of


def circumstances_of(request: web.BaseRequest, region: str) -> Circumstances:
    """`region`: of what the request is about."""
    return circumstances(request.headers, peer_of(request), region)


def circumstances(headers: Headers, peer: Peer, region: str) -> Circumstances:
    """The same for a request of which no more is read than its head."""
    return Circumstances(
        moment=datetime.now(UTC),
        source_ip=peer.address,
        secure=peer.is_secure,
        region=region,
        user_agent=headers.get("User-Agent"),
        referer=headers.get("Referer"),
        vpc=peer.place.vpc,
        vpc_endpoint=peer.place.vpc_endpoint,
        endpoint_policies=peer.place.policies,
    )
