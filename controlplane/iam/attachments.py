"""What is attached to whom (IAM API reference, "AttachRolePolicy" and those that follow from it)."""

from berth.identity.arns import Kind
from berth.identity.directory import attachments, held_policies, identities, managed_policies, names
from berth.identity.directory.attachments import Holder
from berth.identity.directory.identities import PREFIXES
from controlplane.call import Call, Run, operation
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members

# The members of the answer, and the filter that asks for one alone.
_HOLDERS: dict[Kind, str] = {"group": "PolicyGroups", "user": "PolicyUsers", "role": "PolicyRoles"}
_KINDS: dict[str, Kind] = {"User": "user", "Role": "role", "Group": "group"}


def _attach(kind: Kind, member: str) -> Run:
    async def attach(call: Call, request: Members) -> Members:
        await attachments.attach(call.database, call.registry.account, kind, request[member], request["PolicyArn"])
        return {}

    return attach


def _detach(kind: Kind, member: str) -> Run:
    async def detach(call: Call, request: Members) -> Members:
        await attachments.detach(call.database, call.registry.account, kind, request[member], request["PolicyArn"])
        return {}

    return detach


def _list_attached(kind: Kind, member: str) -> Run:
    async def list_attached(call: Call, request: Members) -> Members:
        listing = Listing(call, request, member, "PathPrefix")
        identity = await identities.get(call.database, call.registry.account, kind, request[member])
        prefix = request.get("PathPrefix", names.ROOT)
        found = [
            (named["name"], arn)
            for arn in await attachments.all_of(call.database, identity)
            if (named := held_policies.parse(arn))["path"].startswith(prefix)
        ]
        return listing.page_of("AttachedPolicies", sorted(found), list, _attached)

    return list_attached


for _kind in PREFIXES:
    _Kind = _kind.capitalize()
    operation(f"Attach{_Kind}Policy", service="iam")(_attach(_kind, f"{_Kind}Name"))
    operation(f"Detach{_Kind}Policy", service="iam")(_detach(_kind, f"{_Kind}Name"))
    operation(f"ListAttached{_Kind}Policies", service="iam")(_list_attached(_kind, f"{_Kind}Name"))


@operation("ListEntitiesForPolicy", service="iam")
async def list_entities_for_policy(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "PolicyArn", "EntityFilter", "PathPrefix", "PolicyUsageFilter")
    policy = await managed_policies.get(call.database, call.registry.account, request["PolicyArn"])
    usage, entities = request.get("PolicyUsageFilter"), request.get("EntityFilter")
    if entities is not None and entities not in _KINDS:
        # Policies have no policies.
        return {**{member: [] for member in _HOLDERS.values()}, "IsTruncated": False}
    kind, after = listing.after or ("", "")
    found = await attachments.holders(
        call.database,
        call.registry.account,
        policy.arn,
        kind=_KINDS.get(entities or ""),
        prefix=request.get("PathPrefix", names.ROOT),
        attached=usage != "PermissionsBoundary",
        bounding=usage != "PermissionsPolicy",
        after=(kind, after),
        limit=listing.limit + 1,
    )
    page = listing.page("Holders", found, lambda holder: (holder.kind, holder.folded_name), lambda holder: holder)
    these = page.pop("Holders")
    shown = {member: [_holder(one) for one in these if one.kind == kind] for kind, member in _HOLDERS.items()}
    return {**shown, **page}


def _attached(named: tuple[str, str]) -> Members:
    return {"PolicyName": named[0], "PolicyArn": named[1]}


def _holder(holder: Holder) -> Members:
    kind = holder.kind.capitalize()
    return {f"{kind}Name": holder.name, f"{kind}Id": holder.id}
