"""May this principal do this to that? The one question that stands before every operation and every data-plane step."""

from dataclasses import dataclass, field

from berth.audit import AuditLog, Ruled
from berth.changes.cache import Cache
from berth.changes.ear import Ear
from berth.database.db import Database
from berth.errors import AccessDenied
from berth.identity import access, own_policies
from berth.identity.access import Access
from berth.identity.directory.aws_policies import AWS
from berth.identity.permits import Permits
from berth.identity.policies import context, denials
from berth.identity.policies.context import Circumstances, Subject
from berth.identity.policies.decide import Decision, Request, decide
from berth.identity.policies.variables import Context
from berth.identity.principals import Principal
from berth.names import Registry

PERMITS_BYTES = 32 * 1024 * 1024
ACCESS_BYTES = 16 * 1024 * 1024


class PrincipalGone(Exception):
    """The access key, the user, the role or the account is not there any more, or may not be used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a principal asks to do: `action` (such as `ecr:PutImage`) to `resource`, an ARN or `*`.

    `on` is what is written on the repository or the registry that it is about; `more` fills further condition keys.
    `shown` is how a refusal calls the resource, where that is not by its ARN.
    """

    action: str
    resource: str
    on: Access | None = None
    more: Context = field(default_factory=dict)
    shown: str | None = None


class Authority:
    """Decides by the policies in the database, which it remembers for as long as they do not change."""

    def __init__(self, database: Database, ear: Ear) -> None:
        self._database = database
        self._permits: Cache[Permits] = Cache(ear, PERMITS_BYTES)
        self._access: Cache[Access] = Cache(ear, ACCESS_BYTES)

    def recall(self, principal: Principal) -> Permits | None:
        """What the principal may do, where it is known to be so still."""
        return self._permits.get(principal.key)

    async def permits(self, principal: Principal) -> Permits:
        """Raises PrincipalGone."""
        known = self.recall(principal)
        if known is not None:
            return known
        moment = self._permits.moment
        own = await own_policies.find(self._database, principal)
        if own is None:
            raise PrincipalGone
        permits = Permits(principal, own)
        self._permits.keep(principal.key, permits, subject=own.subjects, size=permits.size, since=moment)
        return permits

    async def access(self, registry: Registry, name: str = access.ALL) -> Access:
        """What is written on the repository, or on the registry alone."""
        arn = registry.arn(name)
        known = self.recall_access(arn)
        if known is not None:
            return known
        moment = self._access.moment
        found = await access.find(self._database, registry, name)
        if found.is_there:
            self._access.keep(arn, found, subject=found.subjects, size=found.size, since=moment)
        return found

    def recall_access(self, arn: str) -> Access | None:
        """What is written on the repository, where it is known to be so still."""
        return self._access.get(arn)


def authorize(permits: Permits, asked: Asked, circumstances: Circumstances, audit: AuditLog) -> None:
    """Raise AccessDenied, in AWS's words, unless the principal may do it; either is counted in the audit log.

    IAM user guide, "Policy evaluation logic".
    """
    ruled = rule(permits, asked, circumstances)
    audit.count(ruled, circumstances)
    if not ruled.decision.allowed:
        resource = asked.resource if asked.shown is None else asked.shown
        raise AccessDenied(denials.refusal(permits.caller.name, asked.action, resource, ruled.decision))


def rule(permits: Permits, asked: Asked, circumstances: Circumstances) -> Ruled:
    """What is decided of it, which nobody has counted yet."""
    # What is remembered holds whatever the circumstances, but for what an endpoint adds to them.
    on = asked.on if circumstances.endpoint_policies is None else None
    if on is not None:
        known = permits.recall(asked.action, asked.resource, on)
        if known is not None:
            return known
    _, decision = decided(permits, asked, circumstances)
    lasts = on is not None and permits.lasts and on.lasts and decision.allowed
    policies_of = None if asked.on is None else asked.on.arn
    ruled = Ruled(permits.principal, asked.action, asked.resource, policies_of, asked.more, decision, lasts)
    if lasts:
        permits.remember(ruled, on)
    return ruled


def decided(permits: Permits, asked: Asked, circumstances: Circumstances) -> tuple[Request, Decision]:
    """What all policies together say of it."""
    caller, on = permits.caller, asked.on
    owner = _account_of(asked.resource) or caller.account
    filled = {
        **permits.context(circumstances.moment),
        **context.of_circumstances(circumstances),
        **(on.filled if on is not None else context.of_subject(Subject(owner))),
        **asked.more,
    }
    request = Request(caller, asked.action, asked.resource, owner, filled)
    applying = permits.applying(on.policies(asked.action) if on is not None else None)
    if circumstances.endpoint_policies is not None:
        applying.endpoint = circumstances.endpoint_policies
    return request, decide(request, applying)


def _account_of(resource: str) -> str:
    """The account in an ARN; none in `*`, nor in those of AWS's own policies, which every account has."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4] != AWS else ""
