"""Becoming a role by the word of an identity provider (STS API reference, "AssumeRoleWithWebIdentity")."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from berth.audit import Asker, AuditLog, Ruled
from berth.database.db import Database
from berth.errors import AccessDenied
from berth.errors.sts import InvalidIdentityToken
from berth.identity.credentials.passwords import KeyRing
from berth.identity.directory import oidc_providers
from berth.identity.directory.identities import Identity
from berth.identity.directory.oidc_providers import Provider
from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.context import Circumstances
from berth.identity.policies.decide import Applying, Request, decide
from berth.identity.sts import assuming, identity_tokens, session_requests
from berth.identity.sts.identity_tokens import IdentityToken, Unverified
from berth.identity.sts.provider_keys import ProviderKeys
from berth.identity.sts.session_requests import Wanted
from berth.identity.sts.sessions import Credentials

_ACTION = "sts:AssumeRoleWithWebIdentity"
_SCHEME = "https://"
# IAM user guide, "Pass session tags using AssumeRoleWithWebIdentity", "Monitor … actions taken with assumed roles".
_TAGS, _SOURCE_IDENTITY = "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"


@dataclass(frozen=True, slots=True)
class Federated:
    """A session of a role, and by whose word it is. `packed` as assuming.Assumed has it."""

    role_id: str
    credentials: Credentials
    packed: int | None
    source_identity: str | None
    provider: Provider
    token: IdentityToken


async def assume(
    database: Database,
    keyring: KeyRing,
    keys: ProviderKeys,
    circumstances: Circumstances,
    role_arn: str,
    token: str,
    wanted: Wanted,
    audit: AuditLog,
) -> Federated:
    """Raises AccessDenied, InvalidIdentityToken, ExpiredIdentityToken, IdpCommunicationError, IdpRejectedClaim and what
    is wrong with what is wanted.
    """
    unverified = identity_tokens.read(token)
    provider = await _provider(database, assuming.account_of(role_arn), unverified)
    identity = await identity_tokens.verified(unverified, keys)
    if not _clients(identity) & set(provider.client_ids):
        raise InvalidIdentityToken("Incorrect token audience")
    wanted = _with_claims(wanted, identity.claims)
    session_requests.check_tags(wanted)
    packed = session_requests.check_policies(wanted)
    role = await assuming.find(database, role_arn)
    if role is None or not _is_allowed(role, provider, identity, wanted, circumstances, audit):
        raise AccessDenied(f"Not authorized to perform {_ACTION}")
    seconds = session_requests.length(wanted, None, role.max_session_seconds)
    credentials = assuming.of_role(keyring, role, wanted, seconds, provider.arn)
    return Federated(role.id, credentials, packed, wanted.source_identity, provider, identity)


async def _provider(database: Database, account: str, token: Unverified) -> Provider:
    """The provider of the role's account that the token is of."""
    issuer = token.issuer
    if issuer.startswith(_SCHEME):
        url = issuer.removeprefix(_SCHEME)
        for written in dict.fromkeys((url, url.rstrip("/"))):
            found = await oidc_providers.find(database, account, written)
            if found is not None:
                return found
    raise InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {issuer[:200]}")


def _clients(identity: IdentityToken) -> set[str]:
    """Whose token it is: one of these has to be known to the provider's account."""
    return {identity.audience} if identity.claims.get("azp") else set(identity.audiences)


def _with_claims(wanted: Wanted, claims: Mapping[str, Any]) -> Wanted:
    """With the tags and the source identity that the provider gives. Raises InvalidIdentityToken."""
    given, source = claims.get(_TAGS, {}), claims.get(_SOURCE_IDENTITY)
    try:
        tags = tuple(
            (key, value if isinstance(value, str) else value[0]) for key, value in given["principal_tags"].items()
        )
        transitive = tuple(given.get("transitive_tag_keys", ()))
    except (KeyError, TypeError, AttributeError, IndexError):
        tags, transitive = (), ()
        if given:
            raise InvalidIdentityToken(f"The claim {_TAGS} of the ID Token provided is not valid") from None
    texts = (*(text for tag in tags for text in tag), *transitive, *([] if source is None else [source]))
    if not all(isinstance(text, str) for text in texts):
        raise InvalidIdentityToken(identity_tokens.NOT_A_TOKEN)
    return replace(wanted, tags=tags, transitive_tag_keys=transitive, source_identity=source)


def _is_allowed(
    role: Identity,
    provider: Provider,
    identity: IdentityToken,
    wanted: Wanted,
    circumstances: Circumstances,
    audit: AuditLog,
) -> bool:
    keys = {
        **session_requests.condition_keys(wanted),
        **identity_tokens.condition_keys(provider.url, identity),
        "aws:federatedprovider": provider.arn,
    }
    more = assuming.about(role, wanted, keys)
    filled = {**context.of_circumstances(circumstances), **more}
    caller, applying = Caller.federated(provider.arn), Applying(resource=assuming.trust_of(role))
    asker = Asker(role.account, provider.arn)
    # Whoever has a token of a public provider may ask: what they choose of it themselves is to fill no account's log.
    stranger = replace(circumstances, source_ip="", user_agent=None, referer=None)
    for action in session_requests.actions(_ACTION, wanted):
        decision = decide(Request(caller, action, role.arn, role.account, filled), applying)
        audit.count(Ruled(asker, action, role.arn, None, {}, decision), stranger)
        if not decision.allowed:
            return False
    return True
