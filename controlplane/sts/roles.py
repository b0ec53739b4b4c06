"""Becoming a role (STS API reference, "AssumeRole")."""

from berth.identity.sts import assuming
from controlplane.call import Call, operation
from controlplane.sts import shapes
from controlplane.sts.second_factor import second_factor_of
from controlplane.wire.model import Members


@operation("AssumeRole", service="sts")
async def assume_role(call: Call, request: Members) -> Members:
    with_second_factor = await second_factor_of(call, request)
    assumed = await assuming.assume(
        call.database,
        call.opened.keyring,
        call.permits,
        call.circumstances,
        request["RoleArn"],
        shapes.wanted_of(request, with_second_factor=with_second_factor),
        request.get("ExternalId"),
        call.opened.audit,
    )
    call.uses.note_role(assumed.role_id, call.circumstances.region)
    return {
        "Credentials": shapes.credentials_of(assumed.credentials),
        "AssumedRoleUser": shapes.role_user_of(assumed.credentials),
        "PackedPolicySize": assumed.packed,
        "SourceIdentity": assumed.source_identity,
    }
