"""What managed policies say and said (IAM API reference, "CreatePolicyVersion" and those that follow from it)."""

from berth.identity.directory import managed_policies, policy_versions
from berth.identity.directory.policy_versions import Version
from controlplane.call import Call, operation
from controlplane.iam.listing import Listing
from controlplane.iam.own_policies import own_policy
from controlplane.wire.model import Members


@operation("CreatePolicyVersion", service="iam")
async def create_policy_version(call: Call, request: Members) -> Members:
    version = await policy_versions.create(
        call.database,
        call.registry.account,
        own_policy(call, request),
        request["PolicyDocument"],
        as_default=request.get("SetAsDefault", False),
    )
    return {"PolicyVersion": _listed_version(version)}


@operation("GetPolicyVersion", service="iam")
async def get_policy_version(call: Call, request: Members) -> Members:
    policy = await managed_policies.get(call.database, call.registry.account, request["PolicyArn"])
    version = await policy_versions.get(call.database, policy, request["VersionId"])
    return {"PolicyVersion": shown_version(version)}


@operation("ListPolicyVersions", service="iam")
async def list_policy_versions(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "PolicyArn")
    policy = await managed_policies.get(call.database, call.registry.account, request["PolicyArn"])
    found = await policy_versions.all_of(call.database, policy)
    return listing.page_of("Versions", found, lambda version: -version.number, _listed_version)


@operation("SetDefaultPolicyVersion", service="iam")
async def set_default_policy_version(call: Call, request: Members) -> Members:
    arn = own_policy(call, request)
    await policy_versions.set_default(call.database, call.registry.account, arn, request["VersionId"])
    return {}


@operation("DeletePolicyVersion", service="iam")
async def delete_policy_version(call: Call, request: Members) -> Members:
    arn = own_policy(call, request)
    await policy_versions.remove(call.database, call.registry.account, arn, request["VersionId"])
    return {}


def shown_version(version: Version) -> Members:
    return {"Document": version.document, **_listed_version(version)}


def _listed_version(version: Version) -> Members:
    """A version in a list, without its document."""
    return {"VersionId": version.id, "IsDefaultVersion": version.is_default, "CreateDate": version.created_at}
