"""Letting somebody act for a user (STS API reference, "GetFederationToken")."""

from berth.identity.sts import federating
from controlplane.call import Call, operation
from controlplane.sts import shapes
from controlplane.wire.model import Members


@operation("GetFederationToken", service="sts")
async def get_federation_token(call: Call, request: Members) -> Members:
    wanted = shapes.wanted_of(request)
    credentials, packed = federating.federate(call.opened.keyring, call.principal, wanted)
    return {
        "Credentials": shapes.credentials_of(credentials),
        "FederatedUser": {"FederatedUserId": credentials.principal.user_id, "Arn": credentials.principal.arn},
        "PackedPolicySize": packed,
    }
