"""Whom a call is about that names nobody: its caller (IAM API reference, "GetUser")."""

from berth.errors.iam import ValidationError
from berth.identity.directory import identities
from berth.identity.directory.identities import Identity
from berth.identity.principals import Kind
from controlplane.call import Call
from controlplane.wire.model import Members


async def user_of(call: Call, request: Members) -> Identity | None:
    """The user that `UserName` names, or else the caller; None where that is the root.

    Raises NoSuchEntity, ValidationError where the caller is no user.
    """
    if "UserName" in request:
        return await identities.get(call.database, call.registry.account, "user", request["UserName"])
    caller = call.principal
    if caller.kind is Kind.ROOT:
        return None
    user = await identities.get_by_id(call.database, caller.user_id) if caller.kind is Kind.USER else None
    if user is None:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return user
