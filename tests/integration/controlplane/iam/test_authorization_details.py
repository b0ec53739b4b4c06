"""All whom an account has and all that they may, in one listing."""

import json
from typing import Any

from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.iam.documents import policy, trust

Members = dict[str, Any]
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
LISTS = {"UserDetailList": "UserName", "GroupDetailList": "GroupName", "RoleDetailList": "RoleName"}


async def fill(iam: Api) -> str:
    """An account with two of each; the ARN of its own policy."""
    own: str = (await iam.create_policy(PolicyName="own", PolicyDocument=policy()))["Policy"]["Arn"]
    await iam.create_policy_version(PolicyArn=own, PolicyDocument=policy("s3:*"))
    for name in ("a", "B"):
        await iam.create_user(UserName=name, Tags=[{"Key": "k", "Value": "v"}], PermissionsBoundary=own)
        await iam.create_group(GroupName=name)
        await iam.add_user_to_group(UserName=name, GroupName="a")
        await iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
        await iam.attach_role_policy(RoleName=name, PolicyArn=ADMINISTRATOR)
        await iam.attach_user_policy(UserName=name, PolicyArn=own)
        await iam.put_group_policy(GroupName=name, PolicyName="inline", PolicyDocument=policy())
    return own


def told(details: Members) -> list[str]:
    named = [f"{member[0]} {one[name]}" for member, name in LISTS.items() for one in details[member]]
    return named + [one["PolicyName"] for one in details["Policies"]]


async def test_everybody_is_told_of_with_all_that_they_have(iam: Api, registry: Registry) -> None:
    own = await fill(iam)
    details = await iam.get_account_authorization_details()
    assert told(details) == ["U a", "U B", "G a", "G B", "R a", "R B", "own", "AdministratorAccess"]
    user, group, role = (details[member][0] for member in LISTS)
    assert user["GroupList"] == ["a"]
    assert user["AttachedManagedPolicies"] == [{"PolicyName": "own", "PolicyArn": own}]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == own
    assert (user["UserPolicyList"], user["Tags"]) == ([], [{"Key": "k", "Value": "v"}])
    assert group["GroupPolicyList"] == [{"PolicyName": "inline", "PolicyDocument": json.loads(policy())}]
    assert role["AssumeRolePolicyDocument"] == json.loads(trust())
    assert (role["InstanceProfileList"], role["RoleLastUsed"]) == ([], {})
    assert [each["PolicyArn"] for each in role["AttachedManagedPolicies"]] == [ADMINISTRATOR]
    mine, of_aws = details["Policies"]
    assert (mine["AttachmentCount"], mine["PermissionsBoundaryUsageCount"]) == (2, 2)
    assert [version["VersionId"] for version in mine["PolicyVersionList"]] == ["v2", "v1"]
    assert mine["PolicyVersionList"][1]["Document"] == json.loads(policy())
    assert of_aws["PolicyVersionList"][0]["IsDefaultVersion"]


async def test_the_listing_has_filters_and_pages(iam: Api, plane: CountedPlane) -> None:
    await fill(iam)
    everything = told(await iam.get_account_authorization_details())
    for size in (1, 3, 5):
        pages = await iam.pages("get_account_authorization_details", PaginationConfig={"PageSize": size})
        assert [name for page in pages for name in told(page)] == everything
    for kinds, names in (
        (["Group"], ["G a", "G B"]),
        (["Role", "User"], ["U a", "U B", "R a", "R B"]),
        (["LocalManagedPolicy"], ["own"]),
        (["AWSManagedPolicy"], ["AdministratorAccess"]),
    ):
        assert told(await iam.get_account_authorization_details(Filter=kinds)) == names
    with plane.counting() as statements:
        await iam.get_account_authorization_details(Filter=["User", "Group", "Role"])
    assert len(statements) == 4
