"""Who the caller is (STS API reference, "GetCallerIdentity")."""

from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("GetCallerIdentity", service="sts")
async def get_caller_identity(call: Call, _request: Members) -> Members:
    principal = call.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}
