"""Managed policies and their versions (IAM API reference, "CreatePolicy" and those that follow from it)."""

from typing import Any

from berth.identity.directory import customer_policies, managed_policies, names, tags
from berth.identity.directory.aws_policies import AWS
from berth.identity.directory.managed_policies import ManagedPolicy, Wanted
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.listing import Listing
from controlplane.iam.own_policies import own_policy
from controlplane.wire.model import Members

# What comes after what in a listing of all: the account's own, then AWS's.
_OWN, _OF_AWS = 0, 1


@operation("CreatePolicy", service="iam")
async def create_policy(call: Call, request: Members) -> Members:
    policy = await customer_policies.create(
        call.database,
        call.registry.account,
        request.get("Path", names.ROOT),
        request["PolicyName"],
        request["PolicyDocument"],
        description=request.get("Description"),
        tags=tags.parse(request.get("Tags", [])),
    )
    return {"Policy": {**listed_policy(policy), "Tags": shapes.tags(policy.tags) or None}}


@operation("GetPolicy", service="iam")
async def get_policy(call: Call, request: Members) -> Members:
    policy = await managed_policies.get(call.database, call.registry.account, request["PolicyArn"])
    return {"Policy": {**listed_policy(policy), "Description": policy.description, "Tags": shapes.tags(policy.tags)}}


@operation("ListPolicies", service="iam")
async def list_policies(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter")
    scope, wanted = request.get("Scope", "All"), _wanted(request)
    whose, after = listing.after or (_OWN, "")
    found: list[ManagedPolicy] = []
    if scope != "AWS" and whose == _OWN:
        found += await managed_policies.page(
            call.database, call.registry.account, wanted, after=after, limit=listing.limit + 1
        )
    if scope != "Local" and len(found) <= listing.limit:
        found += await managed_policies.page_of_aws(
            call.database,
            call.registry.account,
            wanted,
            after=after if whose == _OF_AWS else "",
            limit=listing.limit + 1 - len(found),
        )
    return listing.page("Policies", found, _place, listed_policy)


@operation("DeletePolicy", service="iam")
async def delete_policy(call: Call, request: Members) -> Members:
    await customer_policies.remove(call.database, call.registry.account, own_policy(call, request))
    return {}


@operation("TagPolicy", service="iam")
async def tag_policy(call: Call, request: Members) -> Members:
    added = tags.parse(request["Tags"])
    await customer_policies.add_tags(call.database, call.registry.account, own_policy(call, request), added)
    return {}


@operation("UntagPolicy", service="iam")
async def untag_policy(call: Call, request: Members) -> Members:
    keys = request["TagKeys"]
    await customer_policies.remove_tags(call.database, call.registry.account, own_policy(call, request), keys)
    return {}


@operation("ListPolicyTags", service="iam")
async def list_policy_tags(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "PolicyArn")
    policy = await managed_policies.get(call.database, call.registry.account, request["PolicyArn"])
    return listing.page_of_tags(policy.tags)


def _wanted(request: Members) -> Wanted:
    usage = request.get("PolicyUsageFilter")
    bounding = usage == "PermissionsBoundary"
    attached = not bounding and (usage is not None or request.get("OnlyAttached", False))
    return Wanted(request.get("PathPrefix", names.ROOT), attached, bounding)


def _place(policy: ManagedPolicy) -> tuple[int, Any]:
    return (_OF_AWS, policy.arn) if policy.account == AWS else (_OWN, names.folded(policy.name))


def listed_policy(policy: ManagedPolicy) -> Members:
    """A policy in a list, without its description and tags."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": policy.attachments,
        "PermissionsBoundaryUsageCount": policy.boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
