"""How a request came, as policies ask about it."""

from datetime import UTC, datetime

from aiohttp import web

from berth.identity.policies.context import Circumstances
from listener.peers import peer_of


def circumstances_of(request: web.BaseRequest, region: str) -> Circumstances:
    """`region`: of what the request is about."""
    peer = peer_of(request)
    return Circumstances(
        moment=datetime.now(UTC),
        source_ip=peer.address,
        secure=peer.is_secure,
        region=region,
        user_agent=request.headers.get("User-Agent"),
        referer=request.headers.get("Referer"),
        vpc_endpoint=peer.vpc_endpoint_id,
    )
