"""The keys with which identity providers sign their tokens, as they publish them.

OpenID Connect Discovery 1.0, section 4; RFC 7517.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from berth.errors import EcrError
from berth.errors.sts import IdpCommunicationError, InvalidIdentityToken
from berth.networks.outgoing import Outgoing, OutgoingFailed

Key = RSAKey | ECKey

# So long keys are believed without being looked up again, and so often a token with an unknown key makes us look.
KEPT_SECONDS = 3600.0
LOOK_SECONDS = 5.0
MOST_PROVIDERS = 256
MOST_KEYS = 64
_KINDS: dict[str, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}
# STS's own words, for all that is wrong with what a provider publishes.
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


@dataclass(slots=True)
class _Known:
    """What is known of a provider; `looked_at` is the moment of the latest attempt, `failure` why that was in vain."""

    keys: list[Key] = field(default_factory=list)
    fetched_at: float = float("-inf")
    looked_at: float = float("-inf")
    failure: EcrError | None = None
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class ProviderKeys:
    """Remembers the keys of the providers that were asked for latest."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def find(self, issuer: str, key_id: str | None) -> list[Key]:
        """Those of the provider `issuer` (an https URL) that may have signed a token; of one without a key id, all.

        Raises IdpCommunicationError, InvalidIdentityToken.
        """
        known = self._known.setdefault(issuer, _Known())
        self._known.move_to_end(issuer)
        while len(self._known) > MOST_PROVIDERS:
            self._known.popitem(last=False)
        async with known.looking:
            now = time.monotonic()
            is_old = now - known.fetched_at > KEPT_SECONDS
            # A key that is not there may be a new one, by which the provider signs from now on.
            if (is_old or not _chosen(known.keys, key_id)) and now - known.looked_at > LOOK_SECONDS:
                await self._look(issuer, known)
            # Those who waited for a provider that does not answer need not wait for it once more.
            if known.failure is not None:
                raise type(known.failure)(known.failure.message)
            found = _chosen(known.keys, key_id)
        if not found:
            raise InvalidIdentityToken(NO_KEY)
        return found

    async def _look(self, issuer: str, known: _Known) -> None:
        try:
            known.keys, known.failure = await self._fetched(issuer), None
            known.fetched_at = time.monotonic()
        except (IdpCommunicationError, InvalidIdentityToken) as error:
            known.failure = error
        known.looked_at = time.monotonic()

    async def _fetched(self, issuer: str) -> list[Key]:
        base = issuer.rstrip("/")
        configuration = await self._document(f"{base}/.well-known/openid-configuration")
        location = configuration.get("jwks_uri")
        # Section 4.3: whoever is asked has to be who is meant.
        if str(configuration.get("issuer", "")).rstrip("/") != base or not isinstance(location, str):
            raise InvalidIdentityToken(NO_KEY)
        published = (await self._document(location)).get("keys")
        if not isinstance(published, list):
            raise InvalidIdentityToken(NO_KEY)
        return [key for key in map(_read, published[:MOST_KEYS]) if key is not None]

    async def _document(self, url: str) -> dict[str, Any]:
        try:
            document = orjson.loads(await self._outgoing.fetch(url))
        except OutgoingFailed as error:
            raise IdpCommunicationError(f"{NO_KEY}: {error}") from error
        except orjson.JSONDecodeError as error:
            raise InvalidIdentityToken(NO_KEY) from error
        if not isinstance(document, dict):
            raise InvalidIdentityToken(NO_KEY)
        return document


def _read(published: Any) -> Key | None:
    """A key for signatures; None for one of another kind, or that is none."""
    if not isinstance(published, dict) or published.get("use", "sig") != "sig" or published.get("kty") not in _KINDS:
        return None
    try:
        return _KINDS[published["kty"]].import_key(published)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _chosen(keys: list[Key], key_id: str | None) -> list[Key]:
    return [key for key in keys if key_id is None or key.kid == key_id]
