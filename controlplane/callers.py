"""Whose access key a request was signed with, and what they may do."""

import time

from berth import changes
from berth.changes.cache import Cache
from berth.identity.authorize import PrincipalGone
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.permits import Permits
from berth.identity.principals import Kind, Principal
from berth.identity.sts import sessions
from berth.opening import Opened
from berth.sealing import SealBroken
from controlplane.sigv4 import Claim
from controlplane.wire.faults import ExpiredToken, UnrecognizedClient

MOST_BYTES = 4 * 1024 * 1024
# What a key takes, its names and its secret.
KEY_BYTES = 1024


class Callers:
    """Access keys by their ids, remembered for as long as nobody changes them: a busy client costs no query a call."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._known: Cache[AccessKey] = Cache(opened.ear, MOST_BYTES)

    async def find(self, claim: Claim) -> AccessKey:
        """Raises UnrecognizedClient, ExpiredToken."""
        if claim.token is not None:
            key = await self._of_session(claim.access_key_id, claim.token)
            if claim.service == "iam" and _is_of_session_token(key.principal):
                raise UnrecognizedClient
            return key
        return await self._permanent(claim.access_key_id)

    async def _of_session(self, access_key_id: str, token: str) -> AccessKey:
        try:
            await self._opened.keyring.meet(token)
            return sessions.opened(self._opened.keyring, access_key_id, token, time.time())
        except SealBroken:
            raise UnrecognizedClient from None
        except sessions.SessionExpired:
            raise ExpiredToken from None

    async def _permanent(self, access_key_id: str) -> AccessKey:
        known = self._known.get(access_key_id)
        if known is not None:
            return known
        moment = self._known.moment
        found = await access_keys.find(self._opened.database, self._opened.master, access_key_id)
        if found is None:
            raise UnrecognizedClient
        self._known.keep(access_key_id, found, subject=changes.of_key(found.id), size=KEY_BYTES, since=moment)
        return found

    async def permits(self, key: AccessKey) -> Permits:
        """Raises UnrecognizedClient where whose key it is has gone."""
        try:
            return await self._opened.authority.permits(key.principal)
        except PrincipalGone:
            raise UnrecognizedClient from None


def _is_of_session_token(principal: Principal) -> bool:
    """Whether these are credentials of GetSessionToken without a second factor, which IAM does not take."""
    session = principal.session
    return session is not None and principal.kind is not Kind.ROLE_SESSION and session.authenticated_at is None
