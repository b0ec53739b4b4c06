"""Becoming a role (STS API reference, "AssumeRole")."""

from berth.errors import AccessDenied
from berth.identity import assuming
from controlplane.call import Call, operation
from controlplane.sts import shapes
from controlplane.wire.model import Members

# What STS says of a second factor that the caller has not: Berth knows of no such devices.
NO_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code. Please verify your MFA serial number is valid and "
    "associated with this user."
)


@operation("AssumeRole", service="sts")
async def assume_role(call: Call, request: Members) -> Members:
    if "SerialNumber" in request or "TokenCode" in request:
        raise AccessDenied(NO_DEVICE)
    assumed = await assuming.assume(
        call.database,
        call.opened.keyring,
        call.permits,
        call.circumstances,
        request["RoleArn"],
        shapes.wanted_of(request),
        request.get("ExternalId"),
    )
    return {
        "Credentials": shapes.credentials_of(assumed.credentials),
        "AssumedRoleUser": shapes.role_user_of(assumed.credentials),
        "PackedPolicySize": assumed.packed,
        "SourceIdentity": assumed.source_identity,
    }
