"""Why a request is allowed or denied: what SimulatePrincipalPolicy answers, and what people ask."""

from collections.abc import Iterator
from dataclasses import dataclass

from berth.identity.documents.policy import Condition
from berth.identity.policies.compiled import Kind, Policies, Policy
from berth.identity.policies.decide import Applying, Decision, Outcome, Request, concerns, decide
from berth.identity.policies.statements import Rule
from berth.identity.policies.variables import Context


@dataclass(frozen=True, slots=True)
class Considered:
    """A statement that is about the action: `failures` says why it does not hold in this request; none, and it does."""

    policy: Policy
    rule: Rule
    failures: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        sid = f" ({self.rule.sid})" if self.rule.sid else ""
        place = f"{self.policy.name}, statement {self.rule.index + 1}{sid},"
        if self.holds:
            return f"{place} {'allows' if self.rule.allows else 'denies'} it"
        return f"{place} does not {'allow' if self.rule.allows else 'deny'} it: {'; '.join(self.failures)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policies of one kind (of service control policies, of one level) say, taken by themselves."""

    kind: Kind
    outcome: Outcome
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`missing` are the condition keys that the policies look at and the request does not have, in small letters."""

    decision: Decision
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]


def explain(request: Request, applying: Applying) -> Explanation:
    every = applying.every()
    keys = frozenset[str]().union(*(policy.compiled.keys for policies in every for policy in policies.policies))
    return Explanation(
        decision=decide(request, applying),
        verdicts=tuple(_verdict(request, policies, bounded=applying.boundary is not None) for policies in every),
        missing=tuple(sorted(key for key in keys if key not in request.context)),
    )


def _verdict(request: Request, policies: Policies, *, bounded: bool) -> Verdict:
    considered = tuple(
        Considered(policy, rule, tuple(_failures(policy, rule, request, bounded=bounded)))
        for policy, rule in policies.about(request.action).every()
    )
    holding = [each.rule.allows for each in considered if each.holds]
    outcome = Outcome.ALLOWED if holding else Outcome.IMPLICITLY_DENIED
    return Verdict(policies.kind, outcome if all(holding) else Outcome.EXPLICITLY_DENIED, considered)


def _failures(policy: Policy, rule: Rule, request: Request, *, bounded: bool) -> Iterator[str]:
    statement = policy.compiled.document.statements[rule.index]
    if not rule.is_about_resource(request.resource, request.context):
        yield f"its {'NotResource' if statement.not_resources else 'Resource'} leaves out {request.resource}"
    if not concerns(rule, request.caller, bounded=bounded):
        yield f"its {'NotPrincipal' if statement.not_principals else 'Principal'} leaves out {request.caller.name}"
    for condition, check in zip(statement.conditions, rule.checks, strict=True):
        if not check(request.context):
            yield f"its condition {_written(condition)} does not hold: {_found(condition, request.context)}"


def _written(condition: Condition) -> str:
    quantifier = f"{condition.quantifier}:" if condition.quantifier else ""
    suffix = "IfExists" if condition.if_exists else ""
    return f"{quantifier}{condition.operator}{suffix} {condition.key} {list(condition.values)}"


def _found(condition: Condition, context: Context) -> str:
    value = context.get(condition.key.lower())
    if value is None:
        return "the request has no such key"
    return f"the request has {value!r}" if isinstance(value, str) else f"the request has {list(value)}"
