"""What policies would decide (IAM API reference, "SimulatePrincipalPolicy", "SimulateCustomPolicy")."""

import asyncio
import re

from berth.errors.iam import InvalidInput, NoSuchEntity
from berth.identity.arns import IdentityArn
from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.variables import Context
from berth.identity.simulation import exclusions, policies, simulated
from berth.identity.simulation.policies import Sources
from berth.identity.simulation.results import Simulation
from berth.identity.simulation.simulated import Simulated
from controlplane.call import Call, operation
from controlplane.iam.listing import Listing
from controlplane.iam.simulated_answers import evaluated
from controlplane.iam.simulated_resources import ALL
from controlplane.wire.model import Members

INPUT, CONTROL, BOUNDARY = "PolicyInputList", "ServiceControlPolicyInputList", "PermissionsBoundaryPolicyInputList"
# Decisions of one page: a page has fewer actions, where there are many resources.
MOST_DECISIONS = 1000
_FILTERS = (
    "PolicySourceArn", "PolicyInputList", "PermissionsBoundaryPolicyInputList", "OrderedOrganizationPolicyInputList",
    "PolicyExclusionList", "ActionNames", "ResourceArns", "ResourcePolicy", "ResourceOwner", "CallerArn",
    "ContextEntries",
)  # fmt: skip
_OWNER = re.compile(r"(arn:aws[a-z-]*:iam::)?(?P<account>[0-9]{12})(:root)?")
_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")


@operation("SimulatePrincipalPolicy", service="iam")
async def simulate_principal_policy(call: Call, request: Members) -> Members:
    who = await _principal(call, request)
    sources = await policies.of(call.database, who)
    sources = exclusions.without(sources, request.get("PolicyExclusionList", []))
    sources.identity = [*sources.identity, *policies.given(request.get("PolicyInputList", []), INPUT)]
    caller, known = who.permits.caller, who.permits.context(call.circumstances.moment)
    if "CallerArn" in request:
        caller, named = _caller(request["CallerArn"])
        known = {**known, **named}
    return await _simulated(call, request, sources, caller, known)


@operation("SimulateCustomPolicy", service="iam")
async def simulate_custom_policy(call: Call, request: Members) -> Members:
    if "ResourcePolicy" in request and "CallerArn" not in request:
        raise InvalidInput("CallerArn is required when a ResourcePolicy is given.")
    sources = Sources(identity=policies.given(request["PolicyInputList"], INPUT))
    levels = request.get("OrderedOrganizationPolicyInputList", [])
    sources.control = [policies.given(level.get(CONTROL, []), CONTROL) for level in levels]
    # Somebody has to ask; a statement of an identity-based policy names nobody.
    anybody = Caller.aws(f"arn:aws:iam::{call.registry.account}:user/{simulated.SESSION}")
    caller, known = _caller(request["CallerArn"]) if "CallerArn" in request else (anybody, {})
    return await _simulated(call, request, sources, caller, known)


@operation("GetContextKeysForCustomPolicy", service="iam")
async def get_context_keys_for_custom_policy(_call: Call, request: Members) -> Members:
    return {"ContextKeyNames": Sources(policies.given(request["PolicyInputList"], INPUT)).condition_keys()}


@operation("GetContextKeysForPrincipalPolicy", service="iam")
async def get_context_keys_for_principal_policy(call: Call, request: Members) -> Members:
    sources = await policies.of(call.database, await _principal(call, request))
    given = policies.given(request.get("PolicyInputList", []), INPUT)
    return {"ContextKeyNames": Sources([*sources.identity, *given]).condition_keys()}


async def _principal(call: Call, request: Members) -> Simulated:
    """A user, group or role of the account. Raises InvalidInput, NoSuchEntity."""
    arn: str = request["PolicySourceArn"]
    named = IdentityArn.parse(arn)
    if named is None:
        raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    if named.account != call.registry.account:
        raise NoSuchEntity(f"{arn} is not an entity of this account.")
    return await simulated.find(call.database, arn)


def _caller(arn: str) -> tuple[Caller, Context]:
    """Whoever has that ARN, there or not, and the condition keys that it fills. Raises InvalidInput."""
    named = IdentityArn.parse(arn)
    if named is None:
        raise InvalidInput(f"Invalid CallerArn: {arn} is not the ARN of a user, a group or a role.")
    caller = Caller.aws(arn)
    name = {"aws:username": named.name} if named.kind == "user" else {}
    return caller, {"aws:principalarn": arn, "aws:principalaccount": caller.account, **name}


async def _simulated(call: Call, request: Members, sources: Sources, caller: Caller, known: Context) -> Members:
    boundaries = policies.given(request.get(BOUNDARY, []), BOUNDARY)
    if len(boundaries) > 1:
        raise InvalidInput("Only one permissions boundary can be given.")
    sources.boundary = boundaries or sources.boundary
    if "ResourcePolicy" in request:
        sources.resource = policies.given_for_resource(request["ResourcePolicy"])
    owner = _owner(request, caller)
    made = Simulation(sources, caller, {**known, **_entries(request)}, owner)
    # It may take seconds, where policies are long and resources many.
    return await asyncio.to_thread(_page, call, request, made)


def _page(call: Call, request: Members, made: Simulation) -> Members:
    actions: list[str] = request["ActionNames"]
    wrong = next((action for action in actions if not _ACTION.fullmatch(action)), None)
    if wrong is not None:
        raise InvalidInput(f"Invalid action name: {wrong[:128]}")
    resources: list[str] = request.get("ResourceArns") or [ALL]
    listing = Listing(call, request, *_FILTERS)
    listing.limit = min(listing.limit, max(1, MOST_DECISIONS // len(resources)))
    first = 0 if listing.after is None else listing.after + 1
    numbers = range(first, min(len(actions), first + listing.limit + 1))
    return listing.page(
        "EvaluationResults", numbers, lambda number: number, lambda number: evaluated(made, actions[number], resources)
    )


def _owner(request: Members, caller: Caller) -> str:
    if "ResourceOwner" not in request:
        return caller.account
    owner = _OWNER.fullmatch(request["ResourceOwner"])
    if owner is None:
        raise InvalidInput(f"Invalid ResourceOwner: {request['ResourceOwner']} is not the ARN of an account.")
    return owner["account"]


def _entries(request: Members) -> Context:
    entries = [entry for entry in request.get("ContextEntries", []) if entry.get("ContextKeyValues")]
    if any("ContextKeyName" not in entry for entry in entries):
        raise InvalidInput("A context entry must have a name.")
    return context.lowered({entry["ContextKeyName"]: _values(entry) for entry in entries})


def _values(entry: Members) -> str | list[str]:
    values: list[str] = entry["ContextKeyValues"]
    is_list = entry.get("ContextKeyType", "").endswith("List") or len(values) > 1
    return values if is_list else values[0]
