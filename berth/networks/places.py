"""Networks by name: which VPC, and which VPC endpoint, a request comes through, and that endpoint's policy.

As AWS PrivateLink has it: what comes through an endpoint fills `aws:SourceVpc`, `aws:SourceVpce` and `aws:VpcSourceIp`,
and the endpoint's policy has to allow it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from berth import json_documents
from berth.identity import kept_policies
from berth.identity.documents import grammar
from berth.identity.policies.compiled import Kind, Policies
from berth.networks.network import Network

MOST_BYTES = 64 * 1024


class NetworksInvalid(ValueError):
    """The networks of the settings do not hold together; the text names the one at fault."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where a request comes from; `policies` are the endpoint's, None where it has none."""

    vpc: str | None = None
    vpc_endpoint: str | None = None
    policies: Policies | None = None


class Places:
    def __init__(self, networks: Mapping[str, Network]) -> None:
        """Reads the policies. Raises NetworksInvalid."""
        self._of_endpoint: dict[str, Place] = {}
        self._of_address: list[tuple[IPv4Network | IPv6Network, Place]] = []
        for name, network in networks.items():
            place = Place(network.vpc, network.vpce, _policies(name, network))
            if network.vpce is not None:
                known = self._of_endpoint.setdefault(network.vpce, place)
                if (known.vpc, known.policies is None) != (place.vpc, place.policies is None):
                    raise NetworksInvalid(f"networks: {name}: {network.vpce} is in another network and differs there")
            self._of_address += [(cidr, place) for cidr in network.cidrs]
        # The narrowest first.
        self._of_address.sort(key=lambda pair: -pair[0].prefixlen)

    def find(self, address: str, vpc_endpoint: str | None) -> Place:
        """Of the client's plain address; `vpc_endpoint` is the one that a load balancer told of, and counts first."""
        if vpc_endpoint is not None:
            return self._of_endpoint.get(vpc_endpoint) or Place(vpc_endpoint=vpc_endpoint)
        if self._of_address:
            client = ip_address(address)
            for cidr, place in self._of_address:
                if client in cidr:
                    return place
        return ANYWHERE

    def of_endpoint(self, vpc_endpoint: str) -> Place | None:
        """The endpoint's, where one of the networks has it."""
        return self._of_endpoint.get(vpc_endpoint)


ANYWHERE = Place()


def _policies(name: str, network: Network) -> Policies | None:
    if network.policy is None:
        return None
    try:
        with network.policy.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise NetworksInvalid(f"networks: {name}: {network.policy} cannot be read: {error}") from None
    if len(text) > MOST_BYTES:
        raise NetworksInvalid(f"networks: {name}: {network.policy} is longer than {MOST_BYTES} characters")
    try:
        grammar.document(json_documents.read(text))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NetworksInvalid(f"networks: {name}: {network.policy} is not a policy") from None
    return kept_policies.policies(Kind.ENDPOINT, [(str(network.vpce), text)])
