"""Groups of users (IAM API reference, "CreateGroup" and those that follow from it)."""

from berth.identity.directory import groups, identities, names
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.listing import Listing, identities_of
from controlplane.wire.model import Members


@operation("CreateGroup", service="iam")
async def create_group(call: Call, request: Members) -> Members:
    path = request.get("Path", names.ROOT)
    group = await groups.create(call.database, call.registry.account, path, request["GroupName"])
    return {"Group": shapes.group(group)}


@operation("GetGroup", service="iam")
async def get_group(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "GroupName")
    group = await identities.get(call.database, call.registry.account, "group", request["GroupName"])
    found = await groups.members(call.database, group, after=listing.after or "", limit=listing.limit + 1)
    return {"Group": shapes.group(group), **listing.page("Users", found, shapes.folded_name, shapes.listed_user)}


@operation("ListGroups", service="iam")
async def list_groups(call: Call, request: Members) -> Members:
    return await identities_of(call, request, "group", "Groups", shapes.group)


@operation("UpdateGroup", service="iam")
async def update_group(call: Call, request: Members) -> Members:
    new = request.get("NewPath"), request.get("NewGroupName")
    await groups.update(call.database, call.registry.account, request["GroupName"], *new)
    return {}


@operation("DeleteGroup", service="iam")
async def delete_group(call: Call, request: Members) -> Members:
    await groups.delete_group(call.database, call.registry.account, request["GroupName"])
    return {}


@operation("AddUserToGroup", service="iam")
async def add_user_to_group(call: Call, request: Members) -> Members:
    await groups.add(call.database, call.registry.account, request["GroupName"], request["UserName"])
    return {}


@operation("RemoveUserFromGroup", service="iam")
async def remove_user_from_group(call: Call, request: Members) -> Members:
    await groups.remove(call.database, call.registry.account, request["GroupName"], request["UserName"])
    return {}


@operation("ListGroupsForUser", service="iam")
async def list_groups_for_user(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "UserName")
    user = await identities.get(call.database, call.registry.account, "user", request["UserName"])
    found = await groups.groups_of(call.database, user, after=listing.after or "", limit=listing.limit + 1)
    return listing.page("Groups", found, shapes.folded_name, shapes.group)
