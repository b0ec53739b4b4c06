"""Requests that nobody makes: by whom they would be, and what would be decided of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from berth.database.db import Database
from berth.errors.iam import InvalidInput, NoSuchEntity
from berth.identity import access, arns, kept_policies, own_policies
from berth.identity.access import Access
from berth.identity.arns import IdentityArn, SessionArn
from berth.identity.directory import identities
from berth.identity.directory.identities import Identity
from berth.identity.own_policies import Own
from berth.identity.permits import Permits
from berth.identity.policies import context, explaining
from berth.identity.policies.compiled import Kind, Policies
from berth.identity.policies.context import Circumstances, Subject
from berth.identity.policies.decide import Request
from berth.identity.policies.explaining import Explanation
from berth.identity.policies.variables import Context
from berth.identity.principals import Principal, Session
from berth.names import NameInvalid, Registry, RepositoryArn

# The name of the session, where a role is asked about without one.
SESSION = "simulated"
_SESSION_SECONDS = 3600
# They say of a request how it came, which nobody knows of one that never did.
_OF_NO_REQUEST = ("aws:sourceip", "aws:securetransport", "aws:viaawsservice")


@dataclass(frozen=True, slots=True)
class Simulated:
    """Somebody, with the policies that they have now. `identity` is the user, group or role; None: the root."""

    permits: Permits
    own: Own
    identity: Identity | None


async def find(database: Database, arn: str) -> Simulated:
    """The user, group, role, session of a role, or root with that ARN. Raises InvalidInput, NoSuchEntity."""
    now = int(time.time())
    session = Session(now, now + _SESSION_SECONDS)
    principal, identity = await _principal(database, arn, session)
    # Nobody's access key has to be there for it.
    own = await own_policies.find(database, replace(principal, session=session))
    if own is None:
        raise NoSuchEntity(f"Account {principal.account} is closed or not there: nobody may do anything in it.")
    return Simulated(Permits(principal, own), own, identity)


async def _principal(database: Database, arn: str, session: Session) -> tuple[Principal, Identity | None]:
    if account := arns.account_of_root(arn):
        return Principal.root(account, ""), None
    if of_session := SessionArn.parse(arn):
        role = await identities.get(database, of_session.account, "role", of_session.role)
        return _of_role(role, of_session.name, session), role
    named = IdentityArn.parse(arn)
    if named is None:
        raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    identity = await identities.get(database, named.account, named.kind, named.name)
    if identity.arn.partition(":iam:")[2] != arn.partition(":iam:")[2]:
        raise NoSuchEntity(f"The {named.kind} with arn {arn} cannot be found.")
    if identity.kind == "role":
        return _of_role(identity, SESSION, session), identity
    return Principal.user(identity.account, identity.arn, identity.id, ""), identity


def _of_role(role: Identity, session_name: str, session: Session) -> Principal:
    return Principal.role_session(role.account, role.name, role.id, session_name, "", session)


async def explain(
    database: Database,
    who: Simulated,
    action: str,
    resource: str,
    region: str,
    given: Context,
    endpoint: Policies | None = None,
) -> tuple[Request, Explanation]:
    """What would be decided now of such a request, and why; `given` fills condition keys that say more of it.

    `endpoint` are the policies of the VPC endpoint that it would come through.
    """
    principal = who.permits.principal
    owner = owner_of(resource) or principal.account
    on, filled = await _on(database, action, resource, Registry(principal.account, region))
    request_context = {**known_of(who.permits, region), **context.of_subject(Subject(owner)), **filled, **given}
    request = Request(who.permits.caller, action, resource, owner, request_context)
    applying = who.permits.applying(on)
    applying.endpoint = endpoint
    return request, explaining.explain(request, applying)


def known_of(permits: Permits, region: str) -> Context:
    """The condition keys that are known of a request of theirs without knowing how it came."""
    now = datetime.now(UTC)
    circumstances = context.of_circumstances(Circumstances(now, "", secure=True, region=region))
    known = {key: value for key, value in circumstances.items() if key not in _OF_NO_REQUEST}
    return {**permits.context(now), **known}


def owner_of(resource: str) -> str:
    """The account in an ARN; none in those of AWS's own policies, which every account has."""
    account = resource.split(":", 5)[4] if resource.count(":") > 4 else ""
    return account if account.isdecimal() else ""


async def _on(database: Database, action: str, resource: str, registry: Registry) -> tuple[Policies | None, Context]:
    """The policies on the resource, and the condition keys that it fills."""
    if resource == access.ALL:
        # What is about no registry at all, no registry's policy says anything about.
        is_about_registry = action.lower().startswith("ecr:") and action.lower() != "ecr:getauthorizationtoken"
        return _asked(await access.find(database, registry, access.ALL), action) if is_about_registry else (None, {})
    role = IdentityArn.parse(resource)
    if role is not None and role.kind == "role":
        return await _on_role(database, action, role)
    try:
        repository = RepositoryArn.parse(resource)
    except NameInvalid:
        return None, {}
    return _asked(await access.find(database, repository.registry, repository.name), action)


def _asked(on: Access, action: str) -> tuple[Policies | None, Context]:
    return on.policies(action), on.filled


async def _on_role(database: Database, action: str, named: IdentityArn) -> tuple[Policies | None, Context]:
    """The trust policy of a role is asked about whoever would assume it."""
    try:
        role = await identities.get(database, named.account, "role", named.name)
    except NoSuchEntity:
        return None, {}
    filled = context.of_subject(Subject(role.account, role.tags, service="iam"))
    if not action.lower().startswith("sts:") or role.trust_policy is None:
        return None, filled
    texts: Mapping[str, str] = {f"trust policy of {role.name}": role.trust_policy}
    return kept_policies.policies(Kind.TRUST, texts.items()), filled
