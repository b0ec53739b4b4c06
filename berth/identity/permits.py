"""A principal with all that its own policies allow it, ready for decisions."""

from dataclasses import replace
from datetime import UTC, datetime

from berth.audit import Ruled
from berth.identity import kept_policies
from berth.identity.own_policies import Own
from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.compiled import Kind as Kinds
from berth.identity.policies.compiled import Policies
from berth.identity.policies.decide import Applying
from berth.identity.policies.variables import Context
from berth.identity.principals import Kind, Principal

# What one takes beside its policies: its names, its context, the decisions that it remembers.
PERMITS_BYTES = 16 * 1024
# Decisions that are remembered with one.
_MOST_DECISIONS = 64
# Those who are sessions of somebody with an ARN of their own, whom policies may name too.
_OF_ANOTHER = frozenset({Kind.ROLE_SESSION, Kind.FEDERATED_USER})


class Permits:
    """`principal` is as it is called today; `lasts`: what its policies say is the same at each request."""

    __slots__ = ("_allowed", "_applying", "_filled", "_session", "caller", "lasts", "principal", "size")

    def __init__(self, principal: Principal, own: Own) -> None:
        is_user = principal.kind is Kind.USER
        self.principal = replace(principal, arn=own.arn) if is_user else principal
        self.caller = Caller.aws(self.principal.arn, own.arn if principal.kind in _OF_ANOTHER else None)
        self._applying = _applying(own)
        self.lasts = kept_policies.lasting(*self._applying.every())
        self._session = _session(principal, own)
        self._filled: Context | None = None
        self._allowed: dict[tuple[str, str], tuple[object, Ruled]] = {}
        self.size = PERMITS_BYTES + kept_policies.size(own.texts())

    def applying(self, resource: Policies | None) -> Applying:
        """What applies to a request about that which has these policies on it."""
        own = self._applying
        return Applying(own.identity, own.boundary, own.session, resource, own.endpoint, own.service_control)

    def context(self, moment: datetime) -> Context:
        """The condition keys that the principal fills."""
        if self._session.authenticated_at is not None:
            return context.of_session(self._session, moment)
        if self._filled is None:
            self._filled = context.of_session(self._session, moment)
        return self._filled

    def recall(self, action: str, resource: str, policies: object) -> Ruled | None:
        """By what it may do so, where `remember` was told, when these were the policies on the resource."""
        known = self._allowed.get((action, resource))
        return known[1] if known is not None and known[0] is policies else None

    def remember(self, ruled: Ruled, policies: object) -> None:
        """Remember that it may do so, whatever the circumstances, for as long as nothing changes."""
        if len(self._allowed) >= _MOST_DECISIONS:
            self._allowed.clear()
        self._allowed[ruled.action, ruled.resource] = (policies, ruled)


def _applying(own: Own) -> Applying:
    return Applying(
        identity=kept_policies.policies(Kinds.IDENTITY, own.identity),
        boundary=None if own.boundary is None else kept_policies.policies(Kinds.BOUNDARY, own.boundary),
        session=None if own.session is None else kept_policies.policies(Kinds.SESSION, own.session),
        service_control=(() if own.control is None else (kept_policies.policies(Kinds.SERVICE_CONTROL, own.control),)),
    )


def _session(principal: Principal, own: Own) -> context.Session:
    given = principal.session
    return context.Session(
        # Of the session of a role it is the role's (IAM user guide, "aws:PrincipalArn").
        arn=principal.arn if principal.kind is Kind.FEDERATED_USER else own.arn,
        account=principal.account,
        user_id=principal.user_id,
        principal_type=principal.kind,
        user_name=own.name if principal.kind is Kind.USER else None,
        tags=own.tags if given is None else {**own.tags, **dict(given.tags)},
        issued_at=None if given is None else datetime.fromtimestamp(given.issued_at, UTC),
        authenticated_at=_moment(None if given is None else given.authenticated_at),
        federated_provider=None if given is None else given.provider,
        source_identity=None if given is None else given.source_identity,
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
