"""ID tokens of OpenID Connect providers, verified (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519, RFC 8725)."""

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from berth.errors.sts import ExpiredIdentityToken, IdpRejectedClaim, InvalidIdentityToken
from berth.identity.sts.provider_keys import Key, ProviderKeys

# IAM user guide, "Obtain the thumbprint for an OpenID Connect identity provider": no others, and never none or HS256.
ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
# How far a provider's clock may be ahead.
SKEW_SECONDS = 300
NOT_A_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"  # noqa: S105
_MOST_PARTS = 16


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says, which nobody should believe yet."""

    text: str
    key_id: str | None
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """Raises InvalidIdentityToken."""
        return _text(self.claims, "iss")


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token that its provider has signed and that is in time. `audiences` are all those that it is for."""

    subject: str
    audiences: tuple[str, ...]
    claims: Mapping[str, Any]

    @property
    def audience(self) -> str:
        """Whom it was issued to: `azp` where there is one."""
        authorized: str = self.claims.get("azp") or self.audiences[0]
        return authorized


def read(text: str) -> Unverified:
    """Raises InvalidIdentityToken for what is no token, or one of an algorithm that is not taken."""
    parts = text.split(".")
    if len(parts) != 3:
        raise InvalidIdentityToken(NOT_A_TOKEN)
    header, claims = _json(parts[0]), _json(parts[1])
    key_id = header.get("kid")
    if header.get("alg") not in ALGORITHMS or not (key_id is None or isinstance(key_id, str)):
        raise InvalidIdentityToken(NOT_A_TOKEN)
    return Unverified(text, key_id, claims)


async def verified(token: Unverified, keys: ProviderKeys, now: float | None = None) -> IdentityToken:
    """Raises InvalidIdentityToken, ExpiredIdentityToken, IdpRejectedClaim, IdpCommunicationError."""
    candidates = await keys.find(token.issuer, token.key_id)
    if not any(_is_signed(token.text, key) for key in candidates):
        raise InvalidIdentityToken("The signature of the ID Token provided is not valid")
    _check_times(token.claims, int(time.time() if now is None else now))
    given = token.claims.get("aud")
    audiences = tuple(given) if isinstance(given, list) else (given,)
    if not audiences or not all(isinstance(each, str) and each for each in audiences):
        raise InvalidIdentityToken.lacking("aud")
    if not isinstance(token.claims.get("azp", ""), str):
        raise InvalidIdentityToken.lacking("azp")
    return IdentityToken(_text(token.claims, "sub"), audiences, token.claims)


def condition_keys(url: str, token: IdentityToken) -> dict[str, str | tuple[str, ...]]:
    """The condition keys that the provider with that URL fills: each of the token's claims as `URL:CLAIM`.

    IAM user guide, "Available keys for OIDC federation": `aud` is `azp` where there is one, and `oaud` what else was
    `aud`. What is in an object goes by its path, as in `URL:kubernetes.io/namespace`.
    """
    # Keys know no case and no objects: what could pass for another claim comes before it, and the other one counts.
    by_rank = sorted(token.claims.items(), key=lambda claim: (not isinstance(claim[1], dict), claim[0].islower()))
    filled = {f"{url}:{name}".lower(): value for name, value in _flat(dict(by_rank))}
    if token.claims.get("azp"):
        filled[f"{url}:oaud".lower()] = filled[f"{url}:aud".lower()]
        filled[f"{url}:aud".lower()] = token.audience
    return filled


def _flat(claims: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for name, value in claims.items():
        if isinstance(value, dict):
            if within.count("/") < _MOST_PARTS:
                yield from _flat(value, f"{within}{name}/")
        elif isinstance(value, list):
            texts = tuple(_as_text(each) for each in value if isinstance(each, str | int | float))
            # One audience is the same as a list of one.
            yield f"{within}{name}", texts[0] if len(texts) == 1 else texts
        elif value is not None:
            yield f"{within}{name}", _as_text(value)


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_signed(text: str, key: Key) -> bool:
    try:
        jws.deserialize_compact(text, key, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError):
        return False
    return True


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    expiry = _seconds(claims, "exp")
    if expiry is None:
        raise InvalidIdentityToken.lacking("exp")
    if expiry <= now:
        raise ExpiredIdentityToken(now, expiry)
    for name in ("nbf", "iat"):
        moment = _seconds(claims, name)
        if moment is not None and moment > now + SKEW_SECONDS:
            raise IdpRejectedClaim(f"The claim {name} of the ID Token provided is in the future")


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise InvalidIdentityToken(NOT_A_TOKEN)
    return int(value)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidIdentityToken.lacking(name)
    return value


def _json(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError as error:
        raise InvalidIdentityToken(NOT_A_TOKEN) from error
    if not isinstance(value, dict):
        raise InvalidIdentityToken(NOT_A_TOKEN)
    return value
