"""Managed policies: made, told of, listed, tagged and deleted; their versions; those of AWS, which nobody changes."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from berth.database.db import Database
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.documents import padded, policy, trust

Members = dict[str, Any]
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
PULL_THROUGH = "arn:aws:iam::aws:policy/aws-service-role/AWSECRPullThroughCache_ServiceRolePolicy"


async def made(iam: Api, name: str, **more: Any) -> Members:
    given = {"PolicyName": name, "PolicyDocument": policy(), **more}
    found: Members = (await iam.create_policy(**given))["Policy"]
    return found


async def test_a_policy_is_made_as_it_is_told_of(iam: Api, registry: Registry) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    told = await made(iam, "Pull", Path="/ci/", Description="what CI may", Tags=tags)
    arn = f"arn:aws:iam::{registry.account}:policy/ci/Pull"
    assert (told["Arn"], told["PolicyName"], told["Path"], told["Tags"]) == (arn, "Pull", "/ci/", tags)
    assert told["PolicyId"].startswith("ANPA")
    assert len(told["PolicyId"]) == 21
    assert (told["DefaultVersionId"], told["IsAttachable"]) == ("v1", True)
    assert (told["AttachmentCount"], told["PermissionsBoundaryUsageCount"]) == (0, 0)
    assert told["CreateDate"] == told["UpdateDate"]
    assert (await iam.get_policy(PolicyArn=arn))["Policy"] == {**told, "Description": "what CI may"}
    listed = {name: value for name, value in told.items() if name != "Tags"}
    assert (await iam.list_policies(Scope="Local"))["Policies"] == [listed]
    version = (await iam.get_policy_version(PolicyArn=arn, VersionId="v1"))["PolicyVersion"]
    assert version == {
        "Document": json.loads(policy()),
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "CreateDate": told["CreateDate"],
    }


async def test_a_name_is_taken_in_any_case(iam: Api) -> None:
    await made(iam, "p")
    refusal = await iam.refused("create_policy", PolicyName="P", Path="/x/", PolicyDocument=policy())
    assert (refusal.code, refusal.status) == ("EntityAlreadyExists", 409)
    assert refusal.message == "A policy called P already exists. Duplicate names are not allowed."


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("[]", "Syntax errors in policy."),
        (policy(Principal="*"), "Policy document should not specify a principal."),
        (policy().replace("2012-10-17", "2008-10-17"), "Policy document must be version 2012-10-17 or greater."),
        (policy("nothing"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    ],
)
async def test_a_document_that_is_none(iam: Api, document: str, text: str) -> None:
    refusal = await iam.refused("create_policy", PolicyName="p", PolicyDocument=document)
    assert (refusal.code, refusal.status, refusal.message) == ("MalformedPolicyDocument", 400, text)
    arn = (await made(iam, "p"))["Arn"]
    refusal = await iam.refused("create_policy_version", PolicyArn=arn, PolicyDocument=document)
    assert (refusal.code, refusal.message) == ("MalformedPolicyDocument", text)


async def test_a_policy_is_of_6144_characters_at_most(iam: Api) -> None:
    arn = (await made(iam, "p", PolicyDocument=padded(6144, policy())))["Arn"]
    long = {"PolicyDocument": padded(6145, policy())}
    for operation, named in (("create_policy", {"PolicyName": "q"}), ("create_policy_version", {"PolicyArn": arn})):
        refusal = await iam.refused(operation, **long, **named)
        assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
        assert refusal.message == "Cannot exceed quota for PolicySize: 6144"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_policy", {}),
        ("delete_policy", {}),
        ("create_policy_version", {"PolicyDocument": policy()}),
        ("get_policy_version", {"VersionId": "v1"}),
        ("list_policy_versions", {}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("delete_policy_version", {"VersionId": "v1"}),
        ("tag_policy", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_policy", {"TagKeys": ["a"]}),
        ("list_policy_tags", {}),
        ("list_entities_for_policy", {}),
    ],
)
async def test_a_policy_that_is_not_there(iam: Api, registry: Registry, operation: str, members: Members) -> None:
    await made(iam, "p", Path="/ci/")
    for name in ("none", "p", "CI/p", "ci/P"):
        arn = f"arn:aws:iam::{registry.account}:policy/{name}"
        refusal = await iam.refused(operation, PolicyArn=arn, **members)
        assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
        assert refusal.message == f"Policy {arn} was not found."
    refusal = await iam.refused(operation, PolicyArn="arn:aws:iam::aws:polecy/p", **members)
    assert (refusal.code, refusal.status) == ("InvalidInput", 400)
    assert refusal.message == "ARN arn:aws:iam::aws:polecy/p is not valid."


async def test_a_policy_has_five_versions_of_which_one_holds(iam: Api) -> None:
    arn = (await made(iam, "p"))["Arn"]
    for number in range(2, 6):
        document = policy(f"ecr:Get{number}")
        version = await iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=number == 3)
        assert version["PolicyVersion"]["VersionId"] == f"v{number}"
        assert version["PolicyVersion"]["IsDefaultVersion"] == (number == 3)
    refusal = await iam.refused("create_policy_version", PolicyArn=arn, PolicyDocument=policy())
    assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
    assert refusal.message == (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version."
    )
    told = (await iam.get_policy(PolicyArn=arn))["Policy"]
    newest = (await iam.get_policy_version(PolicyArn=arn, VersionId="v5"))["PolicyVersion"]
    assert (told["DefaultVersionId"], told["UpdateDate"]) == ("v3", newest["CreateDate"])
    assert newest["Document"]["Statement"][0]["Action"] == ["ecr:Get5"]

    pages = await iam.pages("list_policy_versions", PolicyArn=arn, PaginationConfig={"PageSize": 2})
    listed = [[version["VersionId"] for version in page["Versions"]] for page in pages]
    assert listed == [["v5", "v4"], ["v3", "v2"], ["v1"]]
    assert "Document" not in pages[0]["Versions"][0]

    await iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    refusal = await iam.refused("delete_policy_version", PolicyArn=arn, VersionId="v1")
    assert (refusal.code, refusal.status) == ("DeleteConflict", 409)
    assert refusal.message == "Cannot delete the default version of a policy."
    await iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    again = await iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy())
    assert again["PolicyVersion"]["VersionId"] == "v6"


async def test_a_version_that_is_not_there(iam: Api) -> None:
    arn = (await made(iam, "p"))["Arn"]
    for operation in ("get_policy_version", "set_default_policy_version", "delete_policy_version"):
        for version in ("v2", "v99999999999", "v1.x"):
            refusal = await iam.refused(operation, PolicyArn=arn, VersionId=version)
            assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
            assert refusal.message == f"Policy {arn} version {version} does not exist or is not attachable."
        assert (await iam.refused(operation, PolicyArn=arn, VersionId="1")).code == "ValidationError"


async def test_a_policy_is_deleted_when_nobody_has_it(iam: Api) -> None:
    arn = (await made(iam, "p"))["Arn"]
    await iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy())
    await iam.create_user(UserName="bob", PermissionsBoundary=arn)
    await iam.attach_user_policy(UserName="bob", PolicyArn=arn)

    async def conflict() -> str:
        refusal = await iam.refused("delete_policy", PolicyArn=arn)
        assert (refusal.code, refusal.status) == ("DeleteConflict", 409)
        return refusal.message

    assert await conflict() == "Cannot delete a policy attached to entities."
    await iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    assert await conflict() == "Cannot delete a policy attached to entities."
    await iam.delete_user_permissions_boundary(UserName="bob")
    assert await conflict() == (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy."
    )
    await iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    await iam.delete_policy(PolicyArn=arn)
    assert (await iam.list_policies(Scope="Local"))["Policies"] == []


async def test_the_tags_of_a_policy(iam: Api) -> None:
    arn = (await made(iam, "p", Tags=[{"Key": "a", "Value": "1"}]))["Arn"]
    await iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "A", "Value": "2"}, {"Key": "b", "Value": ""}])
    pages = await iam.pages("list_policy_tags", PolicyArn=arn, PaginationConfig={"PageSize": 1})
    assert [page["Tags"] for page in pages] == [[{"Key": "A", "Value": "2"}], [{"Key": "b", "Value": ""}]]
    await iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert (await iam.get_policy(PolicyArn=arn))["Policy"]["Tags"] == [{"Key": "b", "Value": ""}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    refusal = await iam.refused("tag_policy", PolicyArn=arn, Tags=many)
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for TagsPerPolicy: 50")


async def test_policies_are_listed_by_scope_path_and_use(iam: Api) -> None:
    arns = {name: (await made(iam, name, Path=path))["Arn"] for name, path in (("b", "/x/"), ("A", "/"), ("c", "/x/"))}
    await iam.create_user(UserName="bob", PermissionsBoundary=arns["A"])
    await iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(), PermissionsBoundary=ADMINISTRATOR)
    await iam.attach_user_policy(UserName="bob", PolicyArn=arns["c"])
    await iam.attach_role_policy(RoleName="r", PolicyArn=PULL_ONLY)

    async def names(**members: Any) -> list[str]:
        return [policy["PolicyName"] for policy in (await iam.list_policies(**members))["Policies"]]

    assert await names(Scope="Local") == ["A", "b", "c"]
    assert await names(Scope="Local", PathPrefix="/x/") == ["b", "c"]
    assert "AdministratorAccess" in await names(Scope="AWS")
    assert await names(Scope="AWS", PathPrefix="/service-role/") == ["AWSAppRunnerServicePolicyForECRAccess"]
    assert await names(OnlyAttached=True) == ["c", "AmazonEC2ContainerRegistryPullOnly"]
    assert await names(PolicyUsageFilter="PermissionsPolicy") == ["c", "AmazonEC2ContainerRegistryPullOnly"]
    assert await names(PolicyUsageFilter="PermissionsBoundary") == ["A", "AdministratorAccess"]
    assert await names(Scope="Local", OnlyAttached=True, PathPrefix="/y/") == []
    everything = await names()
    assert everything[:3] == ["A", "b", "c"]
    for size in (1, 2, 3, 4):
        pages = await iam.pages("list_policies", PaginationConfig={"PageSize": size})
        assert [policy["PolicyName"] for page in pages for policy in page["Policies"]] == everything
        assert all(len(page["Policies"]) <= size for page in pages)


async def test_the_policies_of_aws_are_there_to_be_read(iam: Api) -> None:
    told = (await iam.get_policy(PolicyArn=ADMINISTRATOR))["Policy"]
    assert (told["PolicyId"], told["DefaultVersionId"]) == ("ANPAIWMBCKSKIEE64ZLYK", "v1")
    assert told["Description"] == "Provides full access to AWS services and resources."
    (version,) = (await iam.list_policy_versions(PolicyArn=PULL_ONLY))["Versions"]
    document = (await iam.get_policy_version(PolicyArn=PULL_ONLY, VersionId=version["VersionId"]))["PolicyVersion"]
    assert document["Document"]["Statement"][0]["Action"] == [
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchImportUpstreamImage",
    ]
    refusal = await iam.refused("get_policy", PolicyArn="arn:aws:iam::aws:policy/Nothing")
    assert (refusal.code, refusal.message) == (
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/Nothing was not found.",
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": policy()}),
        ("SetDefaultPolicyVersion", {"VersionId": "v1"}),
        ("DeletePolicyVersion", {"VersionId": "v1"}),
        ("TagPolicy", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("UntagPolicy", {"TagKeys": ["a"]}),
    ],
)
async def test_nobody_changes_a_policy_of_aws(iam: Api, registry: Registry, operation: str, members: Members) -> None:
    methods = {name: method for method, name in iam.client.meta.method_to_api_mapping.items()}
    refusal = await iam.refused(methods[operation], PolicyArn=ADMINISTRATOR, **members)
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    assert refusal.message == (
        f"User: arn:aws:iam::{registry.account}:root is not authorized to perform: iam:{operation} on resource: "
        f"policy {ADMINISTRATOR}"
    )


async def test_an_account_has_fifteen_hundred_policies(iam: Api, registry: Registry, database: Database) -> None:
    filling = (
        "INSERT INTO policies (id, account, path, name, folded_name) SELECT 'ANPA' || :account || n, :account,"
        " '/', 'p' || n, 'p' || n FROM generate_series(1, 1499) AS n"
    )
    async with database.transaction() as connection:
        await connection.execute(text(filling), {"account": registry.account})
    await made(iam, "last")
    refusal = await iam.refused("create_policy", PolicyName="more", PolicyDocument=policy())
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: 1500")
