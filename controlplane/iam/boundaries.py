"""What limits users and roles (IAM API reference, "PutUserPermissionsBoundary" and those that follow from it)."""

from berth.identity.directory import boundaries
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("PutUserPermissionsBoundary", service="iam")
async def put_user_permissions_boundary(call: Call, request: Members) -> Members:
    arn = request["PermissionsBoundary"]
    await boundaries.put(call.database, call.registry.account, "user", request["UserName"], arn)
    return {}


@operation("PutRolePermissionsBoundary", service="iam")
async def put_role_permissions_boundary(call: Call, request: Members) -> Members:
    arn = request["PermissionsBoundary"]
    await boundaries.put(call.database, call.registry.account, "role", request["RoleName"], arn)
    return {}


@operation("DeleteUserPermissionsBoundary", service="iam")
async def delete_user_permissions_boundary(call: Call, request: Members) -> Members:
    await boundaries.remove(call.database, call.registry.account, "user", request["UserName"])
    return {}


@operation("DeleteRolePermissionsBoundary", service="iam")
async def delete_role_permissions_boundary(call: Call, request: Members) -> Members:
    await boundaries.remove(call.database, call.registry.account, "role", request["RoleName"])
    return {}
