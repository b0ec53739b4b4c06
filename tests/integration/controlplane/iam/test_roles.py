"""Roles: made, told of, changed and deleted, trusted by whom there is, and refused in IAM's words."""

import asyncio
import json
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.documents import padded, policy, trust

Members = dict[str, Any]


async def test_a_role_is_made_as_it_is_told_of(iam: Api, registry: Registry) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    given = {"RoleName": "Puller", "Path": "/ci/", "Description": "pülls", "MaxSessionDuration": 7200, "Tags": tags}
    made = (await iam.create_role(**given, AssumeRolePolicyDocument=trust()))["Role"]
    assert made["Arn"] == f"arn:aws:iam::{registry.account}:role/ci/Puller"
    assert made["RoleId"].startswith("AROA")
    assert len(made["RoleId"]) == 21
    assert {name: made[name] for name in given} == given
    assert made["AssumeRolePolicyDocument"] == json.loads(trust())
    assert (await iam.get_role(RoleName="puller"))["Role"] == {**made, "RoleLastUsed": {}}
    listed = {name: value for name, value in made.items() if name != "Tags"}
    assert (await iam.list_roles())["Roles"] == [listed]
    assert (await iam.list_roles(PathPrefix="/ops/"))["Roles"] == []


async def test_a_sessions_length_is_an_hour_if_nobody_says_so(iam: Api) -> None:
    made = (await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust()))["Role"]
    assert (made["Path"], made["MaxSessionDuration"]) == ("/", 3600)
    assert not {"Description", "Tags", "PermissionsBoundary"} & made.keys()
    refusal = await iam.refused("create_role", RoleName="s", AssumeRolePolicyDocument=trust(), MaxSessionDuration=60)
    assert (refusal.code, refusal.status) == ("ValidationError", 400)


async def test_a_name_is_taken_in_any_case(iam: Api) -> None:
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    refusal = await iam.refused("create_role", RoleName="R", AssumeRolePolicyDocument=trust())
    assert (refusal.code, refusal.status) == ("EntityAlreadyExists", 409)
    assert refusal.message == "Role with name R already exists."


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_role", {}),
        ("update_role", {"Description": "x"}),
        ("update_role_description", {"Description": "x"}),
        ("update_assume_role_policy", {"PolicyDocument": trust()}),
        ("delete_role", {}),
        ("tag_role", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_role", {"TagKeys": ["a"]}),
        ("list_role_tags", {}),
        ("list_attached_role_policies", {}),
        ("attach_role_policy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("detach_role_policy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": policy()}),
        ("get_role_policy", {"PolicyName": "p"}),
        ("delete_role_policy", {"PolicyName": "p"}),
        ("list_role_policies", {}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"}),
        ("delete_role_permissions_boundary", {}),
        ("list_instance_profiles_for_role", {}),
    ],
)
async def test_a_role_that_is_not_there(iam: Api, operation: str, members: Members) -> None:
    refusal = await iam.refused(operation, RoleName="none", **members)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == "The role with name none cannot be found."


async def test_a_role_is_changed(iam: Api) -> None:
    made = (await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust()))["Role"]
    await iam.update_role(RoleName="r", Description="new", MaxSessionDuration=43200)
    await iam.update_role(RoleName="r")
    await iam.update_assume_role_policy(RoleName="r", PolicyDocument=trust(Service="ecs-tasks.amazonaws.com"))
    changed = (await iam.get_role(RoleName="r"))["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("new", 43200)
    assert changed["RoleId"] == made["RoleId"]
    assert changed["AssumeRolePolicyDocument"] == json.loads(trust(Service="ecs-tasks.amazonaws.com"))
    again = (await iam.update_role_description(RoleName="r", Description=""))["Role"]
    assert (again["Description"], again["MaxSessionDuration"]) == ("", 43200)


async def test_the_tags_of_a_role(iam: Api) -> None:
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(), Tags=[{"Key": "a", "Value": "1"}])
    await iam.tag_role(RoleName="r", Tags=[{"Key": f"k{number:02}", "Value": ""} for number in range(49)])
    refusal = await iam.refused("tag_role", RoleName="r", Tags=[{"Key": "more", "Value": ""}])
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for TagsPerRole: 50")
    await iam.untag_role(RoleName="r", TagKeys=[f"K{number:02}" for number in range(48)])
    pages = await iam.pages("list_role_tags", RoleName="r", PaginationConfig={"PageSize": 1})
    assert [[tag["Key"] for tag in page["Tags"]] for page in pages] == [["a"], ["k48"]]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "Syntax errors in policy."),
        (trust(AWS="nobody"), 'Invalid principal in policy: "AWS":"nobody"'),
        (policy("sts:AssumeRole"), "Has prohibited field Resource"),
    ],
)
async def test_a_trust_policy_that_is_none(iam: Api, document: str, text: str) -> None:
    refusal = await iam.refused("create_role", RoleName="r", AssumeRolePolicyDocument=document)
    assert (refusal.code, refusal.status, refusal.message) == ("MalformedPolicyDocument", 400, text)
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    refusal = await iam.refused("update_assume_role_policy", RoleName="r", PolicyDocument=document)
    assert (refusal.code, refusal.message) == ("MalformedPolicyDocument", text)


async def test_a_trust_policy_is_of_2048_characters_at_most(iam: Api) -> None:
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=padded(2048, trust()))
    long = padded(2049, trust())
    for operation, members in (
        ("create_role", {"RoleName": "s", "AssumeRolePolicyDocument": long}),
        ("update_assume_role_policy", {"RoleName": "r", "PolicyDocument": long}),
    ):
        refusal = await iam.refused(operation, **members)
        assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
        assert refusal.message == "Cannot exceed quota for ACLSizePerRole: 2048"


async def test_whom_a_role_trusts_is_there(iam: Api, registry: Registry) -> None:
    await iam.create_user(UserName="bob", Path="/ops/")
    await iam.create_role(RoleName="first", Path="/ci/", AssumeRolePolicyDocument=trust())
    here, sessions = f"arn:aws:iam::{registry.account}:", f"arn:aws:sts::{registry.account}:assumed-role"
    elsewhere = "arn:aws:iam::999999999997:user/who"
    good = [f"{here}user/ops/bob", f"{here}role/ci/first", f"{here}root", registry.account, f"{sessions}/first/x"]
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(AWS=[*good, elsewhere]))
    for lacking in (f"{here}user/bob", f"{here}user/ops/eve", f"{here}role/ops/bob", f"{sessions}/second/x"):
        refusal = await iam.refused("create_role", RoleName="s", AssumeRolePolicyDocument=trust(AWS=[*good, lacking]))
        assert refusal.code == "MalformedPolicyDocument"
        assert refusal.message == f'Invalid principal in policy: "AWS":"{lacking}"'


async def test_a_role_is_deleted_when_nothing_hangs_on_it(iam: Api) -> None:
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    await iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    await iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy())

    async def conflict() -> str:
        refusal = await iam.refused("delete_role", RoleName="r")
        assert (refusal.code, refusal.status) == ("DeleteConflict", 409)
        return refusal.message

    assert await conflict() == "Cannot delete entity, must detach all policies first."
    await iam.detach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert await conflict() == "Cannot delete entity, must delete policies first."
    await iam.delete_role_policy(RoleName="r", PolicyName="p")
    assert (await iam.list_instance_profiles_for_role(RoleName="r"))["InstanceProfiles"] == []
    await iam.delete_role(RoleName="r")
    assert (await iam.list_roles())["Roles"] == []


async def test_of_many_who_make_the_same_role_one_succeeds(iam: Api) -> None:
    calls = [
        asyncio.to_thread(iam.client.create_role, RoleName=name, AssumeRolePolicyDocument=trust())
        for name in ("r", "R", "r", "R")
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in results) == 1


async def test_roles_are_listed_by_pages(iam: Api) -> None:
    for name in ("C", "a", "b"):
        await iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    pages = await iam.pages("list_roles", PaginationConfig={"PageSize": 2})
    assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [["a", "b"], ["C"]]


async def test_a_boundary_that_is_not_there_bounds_nobody(iam: Api, registry: Registry) -> None:
    lacking = f"arn:aws:iam::{registry.account}:policy/none"
    given = {"RoleName": "r", "AssumeRolePolicyDocument": trust(), "PermissionsBoundary": lacking}
    # AWS's model names no error for it at this operation, and no other would tell.
    with pytest.raises(iam.client.exceptions.NoSuchEntityException, match="does not exist or is not attachable"):
        await asyncio.to_thread(iam.client.create_role, **given)
    assert (await iam.list_roles())["Roles"] == []


async def test_who_is_renamed_stays_trusted_and_who_is_deleted_does_not(iam: Api, registry: Registry) -> None:
    async def trusted() -> str:
        document = (await iam.get_role(RoleName="r"))["Role"]["AssumeRolePolicyDocument"]
        assert document["Statement"][0]["Condition"] == {"ArnEquals": {"aws:PrincipalArn": f"{here}/bob"}}
        named: str = document["Statement"][0]["Principal"]["AWS"]
        return named

    here = f"arn:aws:iam::{registry.account}:user"
    made = (await iam.create_user(UserName="bob"))["User"]
    document = json.loads(trust(AWS=f"{here}/bob"))
    document["Statement"][0]["Condition"] = {"ArnEquals": {"aws:PrincipalArn": f"{here}/bob"}}
    escaped = json.dumps(document).replace("/bob", "\\/bob")
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=escaped)
    await iam.create_role(RoleName="s", AssumeRolePolicyDocument=trust(AWS=registry.account))
    assert await trusted() == f"{here}/bob"
    await iam.update_user(UserName="bob", NewUserName="eve", NewPath="/x/")
    await iam.create_user(UserName="bob")
    assert await trusted() == f"{here}/x/eve"
    await iam.delete_user(UserName="eve")
    await iam.create_user(UserName="eve", Path="/x/")
    assert await trusted() == made["UserId"]
    refusal = await iam.refused("create_role", RoleName="t", AssumeRolePolicyDocument=trust(AWS=made["UserId"]))
    assert refusal.message == f'Invalid principal in policy: "AWS":"{made["UserId"]}"'
