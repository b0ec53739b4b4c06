"""Policies that belong to one alone (IAM API reference, "PutRolePolicy" and those that follow from it)."""

from berth.identity.arns import Kind
from berth.identity.directory import identities, inline_policies
from berth.identity.directory.identities import PREFIXES
from controlplane.call import Call, Run, operation
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members


def _put(kind: Kind, member: str) -> Run:
    async def put(call: Call, request: Members) -> Members:
        policy = request["PolicyName"], request["PolicyDocument"]
        await inline_policies.put(call.database, call.registry.account, kind, request[member], *policy)
        return {}

    return put


def _get(kind: Kind, member: str) -> Run:
    async def get(call: Call, request: Members) -> Members:
        identity = await identities.get(call.database, call.registry.account, kind, request[member])
        document = await inline_policies.get(call.database, identity, request["PolicyName"])
        return {member: identity.name, "PolicyName": request["PolicyName"], "PolicyDocument": document}

    return get


def _delete(kind: Kind, member: str) -> Run:
    async def delete(call: Call, request: Members) -> Members:
        name = request["PolicyName"]
        await inline_policies.remove(call.database, call.registry.account, kind, request[member], name)
        return {}

    return delete


def _list(kind: Kind, member: str) -> Run:
    async def list_(call: Call, request: Members) -> Members:
        listing = Listing(call, request, member)
        identity = await identities.get(call.database, call.registry.account, kind, request[member])
        return listing.page_of("PolicyNames", await inline_policies.all_of(call.database, identity), str, str)

    return list_


for _kind in PREFIXES:
    _Kind = _kind.capitalize()
    operation(f"Put{_Kind}Policy", service="iam")(_put(_kind, f"{_Kind}Name"))
    operation(f"Get{_Kind}Policy", service="iam")(_get(_kind, f"{_Kind}Name"))
    operation(f"Delete{_Kind}Policy", service="iam")(_delete(_kind, f"{_Kind}Name"))
    operation(f"List{_Kind}Policies", service="iam")(_list(_kind, f"{_Kind}Name"))
