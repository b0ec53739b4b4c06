"""What Berth fetches from addresses that somebody named, such as those of identity providers.

Whoever names one must not get at what only Berth's machine reaches: public addresses alone are asked, and those of the
networks that `BERTH_ALLOWED_NETWORKS` names, by https, without following redirects, and little of them.
OWASP, "Server-Side Request Forgery Prevention Cheat Sheet".
"""

import asyncio
import socket
import ssl
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from berth.networks.proxies import Networks

SECONDS = 5.0
MOST_BYTES = 512 * 1024
# IPv6 addresses of which a gateway makes IPv4 addresses: 6to4, Teredo, NAT64 (RFC 3056, 4380, 6052).
_TRANSLATED = tuple(map(IPv6Network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")))


class OutgoingFailed(Exception):
    """Nothing was fetched; the text says why, without telling what is there."""


class Outgoing:
    """Fetches documents; `authorities` is a PEM file of more certificate authorities to believe than the machine's."""

    def __init__(self, networks: Networks, authorities: Path | None = None) -> None:
        self._networks = networks
        self._authorities = authorities

    async def fetch(self, url: str) -> bytes:
        """The document at an https URL, at most MOST_BYTES. Raises OutgoingFailed."""
        parsed = self._checked(url)
        connector = aiohttp.TCPConnector(resolver=_Guarded(self._networks), ssl=self._trust(), force_close=True)
        try:
            async with (
                asyncio.timeout(SECONDS),
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
                ) as session,
                session.get(parsed, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer,
            ):
                if answer.status != 200:
                    raise OutgoingFailed(f"{parsed.host} answered with the status {answer.status}")
                return await _bounded(answer.content)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise OutgoingFailed(f"{parsed.host} cannot be reached") from error

    def _checked(self, url: str) -> URL:
        try:
            parsed = URL(url)
        except ValueError as error:
            raise OutgoingFailed("this is not a URL") from error
        if parsed.scheme != "https" or not parsed.host or parsed.user is not None or parsed.password is not None:
            raise OutgoingFailed("this is not an https URL")
        try:
            address = ip_address(parsed.host)
        except ValueError:
            return parsed
        # Of an address nobody asks the resolver.
        if not permitted(address, self._networks):
            raise OutgoingFailed(f"{parsed.host} is not a public address")
        return parsed

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._authorities is not None:
            context.load_verify_locations(self._authorities)
        return context


class _Guarded(AbstractResolver):
    """Finds the addresses of a host, which are then connected to; none if any is one that may not be asked."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(permitted(ip_address(each["host"].partition("%")[0]), self._networks) for each in found):
            raise OSError(f"{host} is not a public address")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def permitted(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    """Whether it may be asked: a public one, or one in `networks`."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in networks if network.version == address.version):
        return True
    if isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    found = bytearray()
    async for chunk in content.iter_any():
        found += chunk
        if len(found) > MOST_BYTES:
            raise OutgoingFailed(f"the answer has more than {MOST_BYTES} bytes")
    return bytes(found)
