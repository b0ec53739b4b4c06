"""What policies that the API puts and takes away come to: at the very next request of whom they are about."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.conftest import As
from tests.integration.controlplane.iam.documents import policy

Members = dict[str, Any]
OF_AWS = "arn:aws:iam::aws:policy/"
DENIED = "AccessDeniedException"


@pytest.fixture
async def bob(iam: Api) -> Members:
    """The access key of a user who may do nothing yet."""
    await iam.create_user(UserName="bob")
    await iam.create_group(GroupName="ops")
    await iam.add_user_to_group(UserName="bob", GroupName="ops")
    key: Members = (await iam.create_access_key(UserName="bob"))["AccessKey"]
    return key


@pytest.fixture
def ecr(bob: Members, as_key: As) -> Iterator[Api]:
    with as_key("ecr", bob) as api:
        yield api


async def may_describe(ecr: Api) -> bool:
    try:
        await ecr.describe_repositories()
    except ecr.client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == DENIED:
            return False
        raise
    return True


async def test_a_policy_of_aws_holds_while_it_is_attached(iam: Api, ecr: Api) -> None:
    read_only = f"{OF_AWS}AmazonEC2ContainerRegistryReadOnly"
    for attach, detach, one in (
        (iam.attach_user_policy, iam.detach_user_policy, {"UserName": "bob"}),
        (iam.attach_group_policy, iam.detach_group_policy, {"GroupName": "ops"}),
    ):
        assert not await may_describe(ecr)
        await attach(**one, PolicyArn=read_only)
        assert await may_describe(ecr)
        assert (await ecr.refused("create_repository", repositoryName="app")).code == DENIED
        await detach(**one, PolicyArn=read_only)
    assert not await may_describe(ecr)


async def test_the_version_that_is_the_default_holds(iam: Api, ecr: Api) -> None:
    arn = (await iam.create_policy(PolicyName="p", PolicyDocument=policy()))["Policy"]["Arn"]
    await iam.attach_group_policy(GroupName="ops", PolicyArn=arn)
    assert await may_describe(ecr)
    await iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:*"))
    assert await may_describe(ecr)
    await iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert not await may_describe(ecr)
    await iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("ecr:Describe*"), SetAsDefault=True)
    assert await may_describe(ecr)


async def test_inline_policies_hold_until_they_are_deleted(iam: Api, ecr: Api) -> None:
    await iam.put_group_policy(GroupName="ops", PolicyName="p", PolicyDocument=policy())
    assert await may_describe(ecr)
    await iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=policy(Effect="Deny"))
    assert not await may_describe(ecr)
    await iam.delete_user_policy(UserName="bob", PolicyName="p")
    assert await may_describe(ecr)
    await iam.delete_group_policy(GroupName="ops", PolicyName="p")
    assert not await may_describe(ecr)


async def test_a_boundary_limits_and_what_it_says_can_change(iam: Api, ecr: Api) -> None:
    await iam.attach_user_policy(UserName="bob", PolicyArn=f"{OF_AWS}AdministratorAccess")
    assert await may_describe(ecr)
    await iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=f"{OF_AWS}IAMFullAccess")
    refusal = await ecr.refused("describe_repositories")
    assert refusal.message.endswith("because no permissions boundary allows the ecr:DescribeRepositories action")
    arn = (await iam.create_policy(PolicyName="p", PolicyDocument=policy()))["Policy"]["Arn"]
    await iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    assert await may_describe(ecr)
    await iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:*"), SetAsDefault=True)
    assert not await may_describe(ecr)
    await iam.delete_user_permissions_boundary(UserName="bob")
    assert await may_describe(ecr)


@pytest.fixture
async def of_bob(iam: Api, bob: Members, as_key: As) -> AsyncIterator[Api]:
    """IAM as bob has it."""
    with as_key("iam", bob) as api:
        yield api


async def test_who_may_read_may_read_the_policies_of_aws(iam: Api, of_bob: Api) -> None:
    arn = f"{OF_AWS}AdministratorAccess"
    refusal = await of_bob.refused("get_policy", PolicyArn=arn)
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    await iam.attach_user_policy(UserName="bob", PolicyArn=f"{OF_AWS}IAMReadOnlyAccess")
    assert (await of_bob.get_policy(PolicyArn=arn))["Policy"]["PolicyName"] == "AdministratorAccess"
    assert (await of_bob.refused("attach_user_policy", UserName="bob", PolicyArn=arn)).code == "AccessDenied"


async def test_permissions_are_on_paths_and_on_tags(iam: Api, of_bob: Api, registry: Registry) -> None:
    account = f"arn:aws:iam::{registry.account}"
    arns = {
        name: (await iam.create_policy(PolicyName=name, Path=path, PolicyDocument=policy(), Tags=tags))["Policy"]["Arn"]
        for name, path, tags in (("a", "/x/", []), ("b", "/", [{"Key": "team", "Value": "ops"}]), ("c", "/", []))
    }
    hosts = {
        host: (await iam.create_open_id_connect_provider(Url=f"https://{host}", Tags=tags))["OpenIDConnectProviderArn"]
        for host, tags in (("a.com", []), ("b.com", [{"Key": "team", "Value": "ops"}]))
    }
    for name, document in (
        ("paths", policy("iam:GetPolicy", "iam:DeletePolicy", Resource=f"{account}:policy/x/*")),
        ("tags", policy("iam:Get*", Condition={"StringEquals": {"iam:ResourceTag/team": "ops"}})),
        ("urls", policy("iam:CreateOpenIDConnectProvider", Resource=f"{account}:oidc-provider/c.com/*")),
    ):
        await iam.put_user_policy(UserName="bob", PolicyName=name, PolicyDocument=document)
    await of_bob.get_policy(PolicyArn=arns["a"])
    await of_bob.get_policy(PolicyArn=arns["b"])
    assert (await of_bob.refused("get_policy", PolicyArn=arns["c"])).code == "AccessDenied"
    await of_bob.get_open_id_connect_provider(OpenIDConnectProviderArn=hosts["b.com"])
    refusal = await of_bob.refused("get_open_id_connect_provider", OpenIDConnectProviderArn=hosts["a.com"])
    assert refusal.code == "AccessDenied"
    await of_bob.create_open_id_connect_provider(Url="https://c.com/ci")
    assert (await of_bob.refused("create_open_id_connect_provider", Url="https://d.com")).code == "AccessDenied"
    await of_bob.delete_policy(PolicyArn=arns["a"])
    assert (await of_bob.refused("delete_policy", PolicyArn=arns["b"])).code == "AccessDenied"


async def test_whoever_is_attached_something_may_be_limited_to_what(iam: Api, of_bob: Api) -> None:
    pull_only = f"{OF_AWS}AmazonEC2ContainerRegistryPullOnly"
    condition = {"ArnEquals": {"iam:PolicyARN": pull_only}}
    document = policy("iam:AttachUserPolicy", Condition=condition)
    await iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document)
    await of_bob.attach_user_policy(UserName="bob", PolicyArn=pull_only)
    refusal = await of_bob.refused("attach_user_policy", UserName="bob", PolicyArn=f"{OF_AWS}AdministratorAccess")
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
