"""Temporary credentials: an access key whose session token says all there is to know of it, sealed by the key ring.

No table has them. Whether the user or the role behind one is still there is asked with its permits (`Authority`).
STS API reference, "Credentials".
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from berth.identity.credentials.access_keys import AccessKey, new_secret
from berth.identity.credentials.passwords import KeyRing
from berth.identity.directory import ids
from berth.identity.principals import Principal, Session
from berth.sealing import SealBroken

_PURPOSE = "session token"
# What the session policies and tags of a session may take together, packed. As AWS, Berth tells only the part of it.
MOST_PACKED_BYTES = 2048


class SessionExpired(Exception):
    """The credentials were good once."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What STS hands out. `principal` is whom they prove, with this key."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    principal: Principal

    @property
    def expires_at(self) -> int:
        """Seconds since 1970."""
        return _session_of(self.principal).expires_at


def issued(keyring: KeyRing, principal: Principal) -> Credentials:
    """New credentials for a principal with a session; its access key is made here."""
    proved = replace(principal, access_key_id=ids.temporary_key(principal.account))
    secret = new_secret()
    plain = zlib.compress(orjson.dumps([secret, *proved.claims()]), 9)
    return Credentials(proved.access_key_id, secret, keyring.close(plain, _PURPOSE), proved)


def opened(keyring: KeyRing, access_key_id: str, token: str, now: float) -> AccessKey:
    """The access key with that session token. Raises SealBroken where they do not belong together, SessionExpired."""
    secret, *claims = orjson.loads(zlib.decompress(keyring.open(token, _PURPOSE)))
    principal = Principal.of_claims(claims)
    if principal.access_key_id != access_key_id:
        raise SealBroken("this session token is that of another access key")
    if _session_of(principal).expires_at <= now:
        raise SessionExpired
    return AccessKey(access_key_id, secret, principal)


def packed_percent(policies: Sequence[str], policy_arns: Sequence[str], tags: Sequence[tuple[str, str]]) -> int | None:
    """How much of what they may take these take; None where there are none."""
    if not (policies or policy_arns or tags):
        return None
    packed = zlib.compress(orjson.dumps([policies, policy_arns, tags]), 9)
    return math.ceil(100 * len(packed) / MOST_PACKED_BYTES)


def _session_of(principal: Principal) -> Session:
    if principal.session is None:
        raise ValueError("temporary credentials are those of a session")
    return principal.session
