"""What a simulation answers (IAM API reference, "EvaluationResult", "ResourceSpecificResult")."""

from collections.abc import Iterable

from berth.identity.policies.compiled import Kind
from berth.identity.policies.decide import Outcome
from berth.identity.policies.positions import Position
from berth.identity.simulation import simulated
from berth.identity.simulation.results import Matched, Result, Simulation, most_restrictive
from controlplane.iam.simulated_resources import ALL, template
from controlplane.wire.model import Members

DECISIONS = {
    Outcome.ALLOWED: "allowed",
    Outcome.IMPLICITLY_DENIED: "implicitDeny",
    Outcome.EXPLICITLY_DENIED: "explicitDeny",
}
DETAILS = {Kind.IDENTITY: "IAM Policy", Kind.RESOURCE: "Resource Policy"}
BY_BOUNDARY, BY_ORGANIZATION = "AllowedByPermissionsBoundary", "AllowedByOrganizations"


def evaluated(made: Simulation, action: str, resources: list[str]) -> Members:
    """One result for each action: the most restrictive; and by the resources, where they are named."""
    results = [made.result(action, resource, simulated.owner_of(resource)) for resource in resources]
    outcome = most_restrictive([result.outcome for result in results])
    are_named = resources != [ALL]
    return {
        "EvalActionName": action,
        "EvalResourceName": template(action) if are_named else ALL,
        "EvalDecision": DECISIONS[outcome],
        "MatchedStatements": _matched(it for result in results if result.outcome is outcome for it in result.matched),
        "MissingContextValues": list(dict.fromkeys(name for result in results for name in result.missing)),
        "OrganizationsDecisionDetail": _detail(BY_ORGANIZATION, [it.allowed_by_organization for it in results]),
        "PermissionsBoundaryDecisionDetail": _detail(BY_BOUNDARY, [it.allowed_by_boundary for it in results]),
        "EvalDecisionDetails": _details(results),
        "ResourceSpecificResults": [_of_resource(result) for result in results] if are_named else None,
    }


def _of_resource(result: Result) -> Members:
    return {
        "EvalResourceName": result.resource,
        "EvalResourceDecision": DECISIONS[result.outcome],
        "MatchedStatements": _matched(result.matched),
        "MissingContextValues": list(result.missing),
        "PermissionsBoundaryDecisionDetail": _detail(BY_BOUNDARY, [result.allowed_by_boundary]),
        "EvalDecisionDetails": _details([result]),
    }


def _details(results: list[Result]) -> Members | None:
    by_kind: dict[str, list[Outcome]] = {}
    for result in results:
        for kind, outcome in result.by_kind.items():
            by_kind.setdefault(DETAILS[kind], []).append(outcome)
    return {name: DECISIONS[most_restrictive(outcomes)] for name, outcomes in by_kind.items()} or None


def _detail(name: str, allowed: list[bool | None]) -> Members | None:
    return None if None in allowed else {name: all(allowed)}


def _matched(matched: Iterable[Matched]) -> list[Members]:
    return [
        {
            "SourcePolicyId": each.source.id,
            "SourcePolicyType": each.source.kind,
            "StartPosition": _position(each.span.start),
            "EndPosition": _position(each.span.end),
        }
        for each in dict.fromkeys(matched)
    ]


def _position(position: Position) -> Members:
    return {"Line": position.line, "Column": position.column}
