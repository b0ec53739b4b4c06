"""The proxies that are believed: networks, and whether an address is in one of them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(value: Any) -> Networks:
    """Networks from `10.0.0.0/8, ::1`, or from a list of such texts. Raises ValueError."""
    texts: Iterable[Any] = value.split(",") if isinstance(value, str) else value
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(str(text).strip()))
        except ValueError as error:
            raise ValueError(f"{error}; write addresses and networks such as 10.0.0.0/8, ::1") from None
    return tuple(networks)


def plain_address(text: str) -> str | None:
    """The address as it is usually written: an IPv4 address that came over an IPv6 socket is one of IPv4.

    None where the text is no address.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def among(networks: Networks, address: str) -> bool:
    """Whether the plain `address` is in one of the networks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
