"""Access keys of users and of the root (IAM API reference, "CreateAccessKey" and those that follow from it)."""

from berth.errors import AccessDenied
from berth.errors.iam import InvalidInput
from berth.identity.directory import keys
from berth.identity.directory.keys import Owner
from controlplane.call import Call, operation
from controlplane.iam.callers import user_of
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members

NOT_USED = "N/A"
LAST_USED = "iam:GetAccessKeyLastUsed"
NOT_YOURS = f"no identity-based policy allows the {LAST_USED} action"


@operation("CreateAccessKey", service="iam")
async def create_access_key(call: Call, request: Members) -> Members:
    owner = await _owner(call, request)
    key, secret = await keys.create(call.database, call.opened.master, owner)
    return {"AccessKey": {**_described(owner, key), "SecretAccessKey": secret}}


@operation("ListAccessKeys", service="iam")
async def list_access_keys(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "UserName")
    owner = await _owner(call, request)
    found = await keys.all_of(call.database, owner)
    return listing.page_of("AccessKeyMetadata", found, lambda key: key.id, lambda key: _described(owner, key))


@operation("UpdateAccessKey", service="iam")
async def update_access_key(call: Call, request: Members) -> Members:
    if request["Status"] not in ("Active", "Inactive"):
        raise InvalidInput("The status of an access key can be set to Active and to Inactive.")
    owner = await _owner(call, request)
    await keys.set_status(call.database, owner, request["AccessKeyId"], request["Status"])
    return {}


@operation("DeleteAccessKey", service="iam")
async def delete_access_key(call: Call, request: Members) -> Members:
    await keys.remove(call.database, await _owner(call, request), request["AccessKeyId"])
    return {}


@operation("GetAccessKeyLastUsed", service="iam")
async def get_access_key_last_used(call: Call, request: Members) -> Members:
    use = await keys.last_use(call.database, call.registry.account, request["AccessKeyId"])
    if use is None:
        # Of a key that is not the account's, AWS does not say whether there is one.
        who, key = call.principal.arn, f"access key {request['AccessKeyId']}"
        raise AccessDenied(
            f"User: {who} is not authorized to perform: {LAST_USED} on resource: {key} because {NOT_YOURS}"
        )
    return {
        "UserName": use.user_name,
        "AccessKeyLastUsed": {
            "LastUsedDate": use.at,
            "ServiceName": use.service or NOT_USED,
            "Region": use.region or NOT_USED,
        },
    }


async def _owner(call: Call, request: Members) -> Owner:
    return Owner(call.registry.account, await user_of(call, request))


def _described(owner: Owner, key: keys.Key) -> Members:
    return {
        "UserName": owner.user and owner.user.name,
        "AccessKeyId": key.id,
        "Status": key.status,
        "CreateDate": key.created_at,
    }
