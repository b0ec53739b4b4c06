"""What a plane makes of a connection and of the heads that come on it: who asks, and from which network."""

from dataclasses import dataclass, replace

from berth.networks.places import Places
from berth.networks.proxies import Networks, among
from berth.settings import Settings
from listener.peers import Headers, Peer, as_forwarded, is_forwarded, through_endpoint


@dataclass(frozen=True, slots=True)
class Outlook:
    """`endpoint_header`: in which a trusted proxy tells the VPC endpoint; empty where none does."""

    trusted: Networks
    endpoint_header: str
    places: Places

    @classmethod
    def of(cls, settings: Settings) -> "Outlook":
        """Raises NetworksInvalid where the policy of an endpoint cannot be read."""
        return cls(settings.trusted_proxies, settings.vpc_endpoint_header, Places(settings.networks))

    def trusts(self, peer: Peer) -> bool:
        """Whether it is a proxy whose headers count."""
        return among(self.trusted, peer.address)

    def placed(self, peer: Peer) -> Peer:
        """The peer, with what is known of where it is."""
        return replace(peer, place=self.places.find(peer.address, peer.vpc_endpoint_id))

    def tells(self, headers: Headers) -> bool:
        """Whether a trusted proxy tells by them who asks."""
        return is_forwarded(headers) or bool(self.endpoint_header and self.endpoint_header in headers)

    def seen(self, headers: Headers, proxy: Peer) -> tuple[Headers, Peer]:
        """The headers and the peer as the trusted proxy tells them."""
        headers, peer = as_forwarded(headers, proxy, self.trusted)
        if self.endpoint_header:
            peer = through_endpoint(headers, peer, self.endpoint_header)
        return headers, self.placed(peer)
