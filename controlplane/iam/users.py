"""Users (IAM API reference, "CreateUser" and those that follow from it)."""

from berth.identity.directory import identities, names, summary, tags, users
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.callers import user_of
from controlplane.iam.listing import Listing, identities_of
from controlplane.wire.model import Members


@operation("CreateUser", service="iam")
async def create_user(call: Call, request: Members) -> Members:
    user = await users.create(
        call.database,
        call.registry.account,
        request.get("Path", names.ROOT),
        request["UserName"],
        tags.parse(request.get("Tags", [])),
        request.get("PermissionsBoundary"),
    )
    return {"User": shapes.user(user)}


@operation("GetUser", service="iam")
async def get_user(call: Call, request: Members) -> Members:
    user = await user_of(call, request)
    return {"User": await _root(call) if user is None else shapes.user(user)}


@operation("ListUsers", service="iam")
async def list_users(call: Call, request: Members) -> Members:
    return await identities_of(call, request, "user", "Users", shapes.listed_user)


@operation("UpdateUser", service="iam")
async def update_user(call: Call, request: Members) -> Members:
    new = request.get("NewPath"), request.get("NewUserName")
    await users.update(call.database, call.registry.account, request["UserName"], *new)
    return {}


@operation("DeleteUser", service="iam")
async def delete_user(call: Call, request: Members) -> Members:
    await users.delete(call.database, call.registry.account, request["UserName"])
    return {}


@operation("TagUser", service="iam")
async def tag_user(call: Call, request: Members) -> Members:
    added = tags.parse(request["Tags"])
    await identities.add_tags(call.database, call.registry.account, "user", request["UserName"], added)
    return {}


@operation("UntagUser", service="iam")
async def untag_user(call: Call, request: Members) -> Members:
    keys = request["TagKeys"]
    await identities.remove_tags(call.database, call.registry.account, "user", request["UserName"], keys)
    return {}


@operation("ListUserTags", service="iam")
async def list_user_tags(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "UserName")
    user = await identities.get(call.database, call.registry.account, "user", request["UserName"])
    return listing.page_of_tags(user.tags)


async def _root(call: Call) -> Members:
    """The root has no name and no path."""
    principal = call.principal
    created_at = await summary.created_at(call.database, principal.account)
    return {"UserId": principal.user_id, "Arn": principal.arn, "CreateDate": created_at}
