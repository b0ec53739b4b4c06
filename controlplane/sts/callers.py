"""Who the caller is, and whose an access key (STS API reference, "GetCallerIdentity", "GetAccessKeyInfo")."""

from berth.errors.iam import ValidationError
from berth.identity.credentials import access_keys
from berth.identity.directory import ids
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("GetCallerIdentity", service="sts")
async def get_caller_identity(call: Call, _request: Members) -> Members:
    principal = call.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}


@operation("GetAccessKeyInfo", service="sts")
async def get_access_key_info(call: Call, request: Members) -> Members:
    """Of a temporary key its id says it; of a permanent one, of whichever account, the table of them."""
    key_id = request["AccessKeyId"]
    account = ids.account_of(key_id)
    if account is None:
        found = await access_keys.find(call.database, call.opened.master, key_id)
        if found is None:
            raise ValidationError("The access key that was specified is not valid.")
        account = found.principal.account
    return {"Account": account}
