"""What all policies together say of a request.

IAM user guide, "Policy evaluation logic": "How AWS enforcement code logic evaluates requests", "Cross-account policy
evaluation logic", "Resource-based policies and implicit denies in other policy types".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from berth.identity.policies.callers import Caller, Naming
from berth.identity.policies.compiled import Kind, Policies, Ruling
from berth.identity.policies.statements import Rule
from berth.identity.policies.variables import Context


class Outcome(StrEnum):
    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"


@dataclass(slots=True)
class Request:
    """`owner` is the account that `resource` (an ARN, or `*`) belongs to; keys of the context are in small letters."""

    caller: Caller
    action: str
    resource: str
    owner: str
    context: Context


_NO_POLICIES = Policies(Kind.IDENTITY, ())


@dataclass(slots=True)
class Applying:
    """The policies that apply to a request. None: there is no such policy, which then limits nothing.

    `resource` are the policies on the repository and its registry, or the trust policy of a role. Each level of
    `service_control` (the organization's root, each unit, the account) has to allow what the account may do.
    """

    identity: Policies = _NO_POLICIES
    boundary: Policies | None = None
    session: Policies | None = None
    resource: Policies | None = None
    endpoint: Policies | None = None
    service_control: tuple[Policies, ...] = ()

    def every(self) -> tuple[Policies, ...]:
        """All that may deny, in the order in which a denial is looked for."""
        others = (self.endpoint, self.resource, self.identity, self.boundary, self.session)
        return (*self.service_control, *(policies for policies in others if policies is not None))


class Decision(NamedTuple):
    """`kind` is the kind of policy that denied, or did not allow, or at last allowed, the request.

    `rulings` are the statements that decided: the one that denies, or one of each kind that had to allow and did.
    """

    outcome: Outcome
    kind: Kind
    rulings: tuple[Ruling, ...]

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


def decide(request: Request, applying: Applying) -> Decision:
    """Deny where any statement denies; else what it takes to be allowed, and what of it is not there."""
    for policies in applying.every():
        ruling = _denying(request, policies, bounded=applying.boundary is not None)
        if ruling is not None:
            return Decision(Outcome.EXPLICITLY_DENIED, policies.kind, (ruling,))
    allowing: list[Ruling] = []
    for policies in applying.service_control:
        if not _limits_to(request, policies, allowing):
            return _not_allowed(policies.kind)
    if applying.endpoint is not None and not _limits_to(request, applying.endpoint, allowing):
        return _not_allowed(Kind.ENDPOINT)
    if request.caller.kind != "AWS":
        return _of_nobodys_account(request, applying, allowing)
    if request.caller.account == request.owner:
        return _within_the_account(request, applying, allowing)
    return _across_accounts(request, applying, allowing)


def _within_the_account(request: Request, applying: Applying, allowing: list[Ruling]) -> Decision:
    """Either side may grant it. Who is named directly in a policy on the resource is not limited by what his own lack.

    A trust policy has to allow it in any case.
    """
    naming, ruling = _on_the_resource(request, applying.resource)
    if ruling is not None:
        allowing.append(ruling)
        if naming is Naming.DIRECTLY:
            return _allowed(_kind_of(applying.resource), allowing)
    elif applying.resource is not None and applying.resource.kind is Kind.TRUST:
        return _not_allowed(Kind.TRUST)
    granted = naming is Naming.IDENTITY
    return _by_own_policies(request, applying, allowing, granted=granted)


def _across_accounts(request: Request, applying: Applying, allowing: list[Ruling]) -> Decision:
    """Both sides have to allow it."""
    own = _by_own_policies(request, applying, allowing, granted=False)
    if not own.allowed:
        return own
    _, ruling = _on_the_resource(request, applying.resource)
    if ruling is None:
        return _not_allowed(_kind_of(applying.resource))
    return _allowed(_kind_of(applying.resource), [*allowing, ruling])


def _of_nobodys_account(request: Request, applying: Applying, allowing: list[Ruling]) -> Decision:
    """A service, or somebody from an identity provider, has no policies of his own."""
    _, ruling = _on_the_resource(request, applying.resource)
    if ruling is None:
        return _not_allowed(_kind_of(applying.resource))
    return _allowed(_kind_of(applying.resource), [*allowing, ruling])


def _by_own_policies(request: Request, applying: Applying, allowing: list[Ruling], *, granted: bool) -> Decision:
    """What the caller's own policies say; `granted`: a policy on the resource grants it, within the caller's limits."""
    if request.caller.is_root:
        return _allowed(Kind.IDENTITY, allowing)
    if not granted:
        ruling = _allowing(request, applying.identity)
        if ruling is None:
            return _not_allowed(Kind.IDENTITY)
        allowing.append(ruling)
    for limit in (applying.boundary, applying.session):
        if limit is not None and not _limits_to(request, limit, allowing):
            return _not_allowed(limit.kind)
    if applying.session is None and request.caller.is_federated_user:
        return _not_allowed(Kind.SESSION)
    return _allowed(Kind.RESOURCE if granted else Kind.IDENTITY, allowing)


def concerns(rule: Rule, caller: Caller, *, bounded: bool) -> bool:
    """Whether it is about the caller; `bounded`: who has a permissions boundary.

    A NotPrincipal that denies excepts nobody who has one. IAM user guide, "Permissions boundaries for IAM entities".
    """
    return bool(rule.naming(caller)) or (bounded and rule.names_exceptions and not rule.allows)


def _denying(request: Request, policies: Policies, *, bounded: bool) -> Ruling | None:
    resource, context = request.resource, request.context
    for holds, ruling in policies.about(request.action).denying:
        if holds(resource, context) and concerns(ruling.rule, request.caller, bounded=bounded):
            return ruling
    return None


def _allowing(request: Request, policies: Policies) -> Ruling | None:
    resource, context = request.resource, request.context
    for holds, ruling in policies.about(request.action).allowing:
        if holds(resource, context) and ruling.rule.naming(request.caller):
            return ruling
    return None


def _limits_to(request: Request, policies: Policies, allowing: list[Ruling]) -> bool:
    """Whether these limits leave it open; the statement that does goes to `allowing`."""
    ruling = _allowing(request, policies)
    if ruling is not None:
        allowing.append(ruling)
    return ruling is not None


def _on_the_resource(request: Request, policies: Policies | None) -> tuple[Naming, Ruling | None]:
    """The statement that allows it and names the caller most closely."""
    closest, found = Naming.NOT, None
    if policies is not None:
        for holds, ruling in policies.about(request.action).allowing:
            naming = ruling.rule.naming(request.caller)
            if naming > closest and holds(request.resource, request.context):
                closest, found = naming, ruling
    return closest, found


def _kind_of(policies: Policies | None) -> Kind:
    return policies.kind if policies is not None else Kind.RESOURCE


def _allowed(kind: Kind, allowing: list[Ruling]) -> Decision:
    return Decision(Outcome.ALLOWED, kind, tuple(allowing))


def _not_allowed(kind: Kind) -> Decision:
    return Decision(Outcome.IMPLICITLY_DENIED, kind, ())
