"""Becoming a role for a while (STS API reference, "AssumeRole")."""

import time
from dataclasses import dataclass

from berth.audit import AuditLog, Ruled
from berth.database.db import Database
from berth.errors import AccessDenied
from berth.errors.iam import NoSuchEntity, ValidationError
from berth.identity import kept_policies
from berth.identity.arns import IdentityArn
from berth.identity.credentials.passwords import KeyRing
from berth.identity.directory import identities
from berth.identity.directory.identities import Identity
from berth.identity.permits import Permits
from berth.identity.policies import context
from berth.identity.policies.compiled import Kind as Kinds
from berth.identity.policies.compiled import Policies
from berth.identity.policies.context import Circumstances, Subject
from berth.identity.policies.decide import Decision, Request, decide
from berth.identity.policies.variables import Context
from berth.identity.principals import Kind, Principal
from berth.identity.sts import session_requests, sessions
from berth.identity.sts.session_requests import Wanted
from berth.identity.sts.sessions import Credentials

_ACTION = "sts:AssumeRole"


@dataclass(frozen=True, slots=True)
class Assumed:
    """A session of a role. `packed` is the part, in percent, of the room for policies and tags that it takes."""

    role_id: str
    credentials: Credentials
    packed: int | None
    source_identity: str | None


async def assume(
    database: Database,
    keyring: KeyRing,
    permits: Permits,
    circumstances: Circumstances,
    role_arn: str,
    wanted: Wanted,
    external_id: str | None,
    audit: AuditLog,
) -> Assumed:
    """Raises AccessDenied, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue, ValidationError."""
    caller = permits.principal
    if caller.kind is Kind.ROOT:
        raise AccessDenied("Roles may not be assumed by root accounts.")
    session_requests.check_tags(wanted)
    packed = session_requests.check_policies(wanted)
    wanted = session_requests.inherited(wanted, caller)
    role = await find(database, role_arn)
    # STS API reference, "GetFederationToken": a federated user may call nothing of STS but GetCallerIdentity.
    if role is None or caller.kind is Kind.FEDERATED_USER:
        raise _denied(caller, _ACTION, role_arn)
    keys = session_requests.condition_keys(wanted)
    if external_id is not None:
        keys["sts:externalid"] = external_id
    _check_allowed(permits, circumstances, role, wanted, keys, audit)
    seconds = session_requests.length(wanted, caller, role.max_session_seconds)
    return Assumed(role.id, of_role(keyring, role, wanted, seconds), packed, wanted.source_identity)


def account_of(arn: str) -> str:
    """The account of a role by its ARN. Raises ValidationError for what can be none."""
    return _parsed(arn).account


async def find(database: Database, arn: str) -> Identity | None:
    """The role with that ARN. Raises ValidationError for what can be none."""
    named = _parsed(arn)
    try:
        role = await identities.get(database, named.account, "role", named.name)
    except NoSuchEntity:
        return None
    return role if role.arn == arn else None


def _parsed(arn: str) -> IdentityArn:
    named = IdentityArn.parse_role(arn)
    if named is None:
        raise ValidationError(f"{arn[:200]} is invalid")
    return named


def of_role(keyring: KeyRing, role: Identity, wanted: Wanted, seconds: int, provider: str | None = None) -> Credentials:
    """New credentials of a session of the role."""
    session = session_requests.session(wanted, int(time.time()), seconds, provider)
    return sessions.issued(keyring, Principal.role_session(role.account, role.name, role.id, wanted.name, "", session))


def trust_of(role: Identity) -> Policies:
    """Its trust policy, ready to be asked."""
    texts = [] if role.trust_policy is None else [(role.name, role.trust_policy)]
    return kept_policies.policies(Kinds.TRUST, texts)


def about(role: Identity, wanted: Wanted, keys: Context) -> Context:
    """The condition keys that are neither the caller's own nor say how the request came."""
    subject = Subject(role.account, role.tags, request_tags=dict(wanted.tags), service="iam")
    return {**context.of_subject(subject), **keys}


def _check_allowed(
    permits: Permits, circumstances: Circumstances, role: Identity, wanted: Wanted, keys: Context, audit: AuditLog
) -> None:
    """Raises AccessDenied; it does not tell by what, nor whether there is such a role."""
    more, trust = about(role, wanted, keys), trust_of(role)
    for action in session_requests.actions(_ACTION, wanted):
        decision = decided(permits, action, role.arn, trust, circumstances, more)
        audit.count(Ruled(permits.principal, action, role.arn, None, more, decision), circumstances)
        if not decision.allowed:
            raise _denied(permits.principal, action, role.arn)


def decided(
    permits: Permits, action: str, role_arn: str, trust: Policies, circumstances: Circumstances, more: Context
) -> Decision:
    """What the caller's policies and the role's trust policy come to; `more` are the keys of `about`."""
    filled = {**permits.context(circumstances.moment), **context.of_circumstances(circumstances), **more}
    owner = role_arn.split(":", 5)[4]
    return decide(Request(permits.caller, action, role_arn, owner, filled), permits.applying(trust))


def _denied(caller: Principal, action: str, role_arn: str) -> AccessDenied:
    return AccessDenied(f"User: {caller.arn} is not authorized to perform: {action} on resource: {role_arn}")
