"""Roles (IAM API reference, "CreateRole" and those that follow from it)."""

from berth.identity.directory import identities, names, roles, tags
from berth.identity.directory.identities import Identity
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.listing import Listing, identities_of
from controlplane.wire.model import Members


@operation("CreateRole", service="iam")
async def create_role(call: Call, request: Members) -> Members:
    role = await roles.create(
        call.database,
        call.registry.account,
        request.get("Path", names.ROOT),
        request["RoleName"],
        request["AssumeRolePolicyDocument"],
        tags=tags.parse(request.get("Tags", [])),
        description=request.get("Description"),
        max_session_seconds=request.get("MaxSessionDuration", roles.DEFAULT_SESSION_SECONDS),
        boundary=request.get("PermissionsBoundary"),
    )
    return {"Role": made_role(role)}


@operation("GetRole", service="iam")
async def get_role(call: Call, request: Members) -> Members:
    role = await identities.get(call.database, call.registry.account, "role", request["RoleName"])
    return {"Role": {**made_role(role), "RoleLastUsed": last_used(role)}}


@operation("ListRoles", service="iam")
async def list_roles(call: Call, request: Members) -> Members:
    return await identities_of(call, request, "role", "Roles", _listed_role)


@operation("UpdateRole", service="iam")
async def update_role(call: Call, request: Members) -> Members:
    await _update(call, request)
    return {}


@operation("UpdateRoleDescription", service="iam")
async def update_role_description(call: Call, request: Members) -> Members:
    return {"Role": made_role(await _update(call, request))}


@operation("UpdateAssumeRolePolicy", service="iam")
async def update_assume_role_policy(call: Call, request: Members) -> Members:
    document = request["PolicyDocument"]
    await roles.set_trust_policy(call.database, call.registry.account, request["RoleName"], document)
    return {}


@operation("DeleteRole", service="iam")
async def delete_role(call: Call, request: Members) -> Members:
    await roles.delete(call.database, call.registry.account, request["RoleName"])
    return {}


@operation("TagRole", service="iam")
async def tag_role(call: Call, request: Members) -> Members:
    added = tags.parse(request["Tags"])
    await identities.add_tags(call.database, call.registry.account, "role", request["RoleName"], added)
    return {}


@operation("UntagRole", service="iam")
async def untag_role(call: Call, request: Members) -> Members:
    keys = request["TagKeys"]
    await identities.remove_tags(call.database, call.registry.account, "role", request["RoleName"], keys)
    return {}


@operation("ListRoleTags", service="iam")
async def list_role_tags(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "RoleName")
    role = await identities.get(call.database, call.registry.account, "role", request["RoleName"])
    return listing.page_of_tags(role.tags)


async def _update(call: Call, request: Members) -> Identity:
    return await roles.update(
        call.database,
        call.registry.account,
        request["RoleName"],
        description=request.get("Description"),
        max_session_seconds=request.get("MaxSessionDuration"),
    )


def _listed_role(role: Identity) -> Members:
    """A role in a list, without its tags and boundary."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": role.trust_policy,
        "Description": role.description,
        "MaxSessionDuration": role.max_session_seconds,
    }


def made_role(role: Identity) -> Members:
    return {**_listed_role(role), "PermissionsBoundary": shapes.boundary(role), "Tags": shapes.tags(role.tags) or None}


def last_used(role: Identity) -> Members:
    return {"LastUsedDate": role.last_used_at, "Region": role.last_used_region}
