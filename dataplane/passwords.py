"""Who pushes or pulls: the registry password of the Authorization header → a principal and what it may do."""

import base64
import time
from collections import OrderedDict

from aiohttp import web

from berth.identity.authorize import Authority, PrincipalGone
from berth.identity.credentials.passwords import KeyRing, Password, PasswordExpired
from berth.identity.permits import Permits
from berth.identity.principals import Principal
from berth.sealing import SealBroken
from berth.throttling.guesses import Guesses
from dataplane.errors import NotAuthenticated, OciError, TooManyRequests, WrongPassword
from listener import peer_of

# ECR user guide, "Private registry authentication": the user name is always AWS.
USER = "AWS"
REMEMBERED = 4096


class Passwords:
    """Opens registry passwords, and remembers those that it has opened until they expire."""

    def __init__(self, keyring: KeyRing, authority: Authority, guesses: Guesses) -> None:
        self._keyring = keyring
        self._authority = authority
        self._guesses = guesses
        self._opened: OrderedDict[str, Password] = OrderedDict()

    def recall(self, header: str) -> Permits | None:
        """Whose password the Authorization header has, where it was good before and is known to be so still."""
        known = self._opened.get(header)
        if known is None or known.expires_at <= time.time():
            return None
        return self._authority.recall(known.principal)

    async def permits(self, request: web.Request, endpoint: str) -> Permits:
        """Raises NotAuthenticated, TooManyRequests, and OciError for a password that expired or whose owner is gone."""
        given = request.headers.getall("Authorization", [])
        if not given:
            raise NotAuthenticated(endpoint, "Not Authorized")
        if len(given) > 1:
            raise NotAuthenticated(endpoint, "The Authorization header is given more than once")
        (header,) = given
        known = self._opened.get(header)
        if known is None:
            wait = self._guesses.wait(peer_of(request).address)
            if wait:
                raise TooManyRequests(wait)
            known = await self._open(header, endpoint)
            self._opened[header] = known
            if len(self._opened) > REMEMBERED:
                self._opened.popitem(last=False)
        if known.expires_at <= time.time():
            self._opened.pop(header, None)
            raise _expired()
        return await permits_of(self._authority, known.principal)

    async def _open(self, header: str, endpoint: str) -> Password:
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() != "basic":
            raise WrongPassword(endpoint, "Unsupported Authorization Type")
        try:
            user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
        except ValueError:
            # Among them binascii.Error and UnicodeDecodeError.
            raise WrongPassword(endpoint, "The Authorization header is not Basic and base64") from None
        if user != USER:
            raise WrongPassword(endpoint, f"The user name must be {USER}")
        try:
            await self._keyring.meet(password)
            return self._keyring.open_password(password)
        except PasswordExpired:
            raise _expired() from None
        except SealBroken:
            message = "Your authorization token is not valid. Get one by GetAuthorizationToken and try again."
            raise WrongPassword(endpoint, message) from None


async def permits_of(authority: Authority, principal: Principal) -> Permits:
    """Raises OciError where the principal is not there any more."""
    try:
        return await authority.permits(principal)
    except PrincipalGone:
        # AWS's own text for it (IAM user guide, "Troubleshooting": a key that was deleted).
        raise OciError(403, "DENIED", "The security token included in the request is invalid.") from None


def _expired() -> OciError:
    return OciError(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
