"""What `berth iam explain` does: a decision with its reasons, for people and as JSON."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import click
import orjson

from berth.cli.holder import as_running
from berth.cli.preparation import done_or_exit, fail, using
from berth.errors import EcrError
from berth.identity.policies import context, denials
from berth.identity.policies.decide import Outcome, Request
from berth.identity.policies.explaining import Considered, Explanation, Verdict
from berth.identity.policies.statements import Rule
from berth.identity.policies.variables import Context
from berth.identity.simulation import simulated
from berth.networks.places import ANYWHERE, NetworksInvalid, Place, Places
from berth.settings import Settings

EXIT_CODES = {Outcome.ALLOWED: 0, Outcome.IMPLICITLY_DENIED: 3, Outcome.EXPLICITLY_DENIED: 4}
OUTCOMES = {
    Outcome.ALLOWED: "allowed",
    Outcome.IMPLICITLY_DENIED: "not allowed",
    Outcome.EXPLICITLY_DENIED: "denied",
}
# As SimulatePrincipalPolicy names them.
NAMES = {
    Outcome.ALLOWED: "allowed",
    Outcome.IMPLICITLY_DENIED: "implicitDeny",
    Outcome.EXPLICITLY_DENIED: "explicitDeny",
}


def run(
    settings: Settings,
    principal: str,
    action: str,
    resource: str,
    given: Iterable[str],
    vpc_endpoint: str | None,
    *,
    as_json: bool,
) -> None:
    if ":" not in action or "*" in action:
        fail(f"'{action}' is not an action such as ecr:PutImage")
    settings = as_running(settings)
    place = ANYWHERE if vpc_endpoint is None else place_of(settings, vpc_endpoint)
    try:
        request, found = done_or_exit(_explain(settings, principal, action, resource, context_of(given), place))
    except EcrError as error:
        fail(error.message)
    if as_json:
        click.echo(orjson.dumps(as_data(request, found), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(lines(request, found)))
    sys.exit(EXIT_CODES[found.decision.outcome])


def context_of(given: Iterable[str]) -> Context:
    """The condition keys of `KEY=VALUE`, each with all the values that it was given."""
    values: dict[str, list[str]] = defaultdict(list)
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or ":" not in key:
            fail(f"--context: '{pair}' is not KEY=VALUE, such as aws:SourceIp=10.0.0.1")
        values[key].append(value)
    return context.lowered({key: several[0] if len(several) == 1 else several for key, several in values.items()})


def place_of(settings: Settings, vpc_endpoint: str) -> Place:
    """Where a request comes from that comes through the endpoint. One that is not set may have a policy elsewhere."""
    try:
        place = Places(settings.networks).of_endpoint(vpc_endpoint)
    except NetworksInvalid as error:
        fail(str(error))
    if place is None:
        fail(f"--vpc-endpoint: none of --networks (BERTH_NETWORKS) has {vpc_endpoint}")
    return place


async def _explain(
    settings: Settings, arn: str, action: str, resource: str, given: Context, place: Place
) -> tuple[Request, Explanation]:
    through = context.of_network(place.vpc, place.vpc_endpoint)
    async with using(settings) as database:
        who = await simulated.find(database, arn)
        asked = (action, resource, settings.region, {**through, **given})
        return await simulated.explain(database, who, *asked, place.policies)


def lines(request: Request, found: Explanation) -> Iterable[str]:
    decision = found.decision
    if decision.allowed:
        yield f"allowed: {request.caller.name} may {request.action} on {request.resource}, by {_why(found)}"
    else:
        yield f"{OUTCOMES[decision.outcome]}: {denials.words(request, decision)}"
    for verdict in found.verdicts:
        yield f"\n{verdict.kind}: {_said(verdict)}"
        yield from (f"  {considered}" for considered in verdict.considered)
    if found.missing:
        yield f"\nnot known of the request (--context): {', '.join(found.missing)}"


def _why(found: Explanation) -> str:
    rulings = found.decision.rulings
    return "; ".join(f"{ruling.policy.name}, statement {ruling.rule.index + 1}" for ruling in rulings) or "being root"


def _said(verdict: Verdict) -> str:
    return OUTCOMES[verdict.outcome] if verdict.considered else "says nothing about the action"


def as_data(request: Request, found: Explanation) -> dict[str, Any]:
    decision = found.decision
    return {
        "principal": request.caller.name,
        "action": request.action,
        "resource": request.resource,
        "decision": NAMES[decision.outcome],
        "decidedBy": decision.kind,
        "message": None if decision.allowed else denials.words(request, decision),
        "statements": [_place(ruling.policy.name, ruling.rule) for ruling in decision.rulings],
        "policies": [_verdict(verdict) for verdict in found.verdicts],
        "context": {key: value if isinstance(value, str) else list(value) for key, value in request.context.items()},
        "missingContext": list(found.missing),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "kind": verdict.kind,
        "decision": NAMES[verdict.outcome],
        "considered": [_considered(considered) for considered in verdict.considered],
    }


def _considered(considered: Considered) -> dict[str, Any]:
    effect = "Allow" if considered.rule.allows else "Deny"
    place = _place(considered.policy.name, considered.rule)
    return {**place, "effect": effect, "holds": considered.holds, "failures": list(considered.failures)}


def _place(policy: str, rule: Rule) -> dict[str, Any]:
    """Statements count from 1, as in the text."""
    return {"policy": policy, "statement": rule.index + 1, "sid": rule.sid}
