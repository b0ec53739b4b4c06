"""The values that conditions compare, out of their text: numbers, moments, addresses, bytes. None: it is not one.

IAM user guide, "IAM JSON policy elements: Condition operators".
"""

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

_NUMBER = re.compile(r"[+-]?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECONDS = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
# W3C, "Date and Time Formats" (https://www.w3.org/TR/NOTE-datetime), the time zone left out meaning UTC.
_MOMENT = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"([Tt](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})([.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?"
)


def number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=1024)
def moment(text: str) -> int | None:
    """Microseconds since 1970. Four digits are a year, other digits seconds since 1970."""
    written = _MOMENT.fullmatch(text)
    if written is None:
        return int(Decimal(text) * 1_000_000) if _SECONDS.fullmatch(text) else None
    parts = written.groupdict()
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    names = ("year", "month", "day", "hour", "minute", "second")
    try:
        time = datetime(
            *(int(parts[name] or least) for name, least in zip(names, (1, 1, 1, 0, 0, 0), strict=True)),  # type: ignore[arg-type,misc]
            int(fraction),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return (time - _EPOCH) // _MICROSECOND - _offset(parts["zone"])


def _offset(zone: str | None) -> int:
    """The time zone's distance from UTC, in microseconds."""
    if zone is None or zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
# The version of IP, and the address as a number.
Address = tuple[int, int]
# The version, the first address, and how many of its last bits are free.
Network = tuple[int, int, int]


@lru_cache(maxsize=4096)
def address(text: str) -> Address | None:
    """An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is an IPv4 address."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.version, int(found)


def network(text: str) -> Network | None:
    """CIDR; an address alone is a network of one. Of IPv4 written as IPv6 what `address` says is true of it too."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        found = ipaddress.ip_network((int(found.network_address) & 0xFFFF_FFFF, found.prefixlen - _MAPPED.prefixlen))
    return found.version, int(found.network_address) >> _free(found), _free(found)


def _free(found: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    return found.max_prefixlen - found.prefixlen


def binary(text: str) -> bytes | None:
    """Base64 (RFC 4648)."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
