"""GetFederationToken: a federated user may do what both its user and its session policies allow, and no more."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.sts.conftest import ANYTHING, Account, As, User

INVALID = "The security token included in the request is invalid."


def document(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": statement}


async def federated(as_holder: As, user: User, policy: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {} if policy is None else {"Policy": json.dumps(policy)}
    with as_holder("sts", user.credentials) as sts:
        answer: dict[str, Any] = await sts.get_federation_token(**{"Name": "cora", **given, **more})
        return answer


async def test_a_federated_user_is_who_it_says(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    answer = await federated(as_holder, user, ANYTHING)
    arn = f"arn:aws:sts::{account.id}:federated-user/cora"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{account.id}:cora", "Arn": arn}
    assert 0 < answer["PackedPolicySize"] < 20
    credentials = answer["Credentials"]
    assert 43190 < (credentials["Expiration"] - datetime.now(UTC)).total_seconds() <= 43200
    with as_holder("sts", credentials) as sts:
        caller = await sts.get_caller_identity()
        assert caller == {"UserId": f"{account.id}:cora", "Account": account.id, "Arn": arn}


async def test_both_the_user_and_the_session_policies_have_to_allow_it(account: Account, as_holder: As) -> None:
    user = await account.user(policy=document("sts:*", "ecr:Describe*"))
    only_registry = (await federated(as_holder, user, document("ecr:DescribeRegistry", "ecr:CreateRepository")))[
        "Credentials"
    ]
    arn = f"arn:aws:sts::{account.id}:federated-user/cora"
    with as_holder("ecr", only_registry) as ecr:
        await ecr.describe_registry()
        refused = await ecr.refused("describe_repositories")
        assert refused.message.startswith(f"User: {arn} is not authorized to perform: ecr:DescribeRepositories")
        assert refused.message.endswith("because no session policy allows the ecr:DescribeRepositories action")
        refused = await ecr.refused("create_repository", repositoryName="app")
        assert refused.message.endswith("because no identity-based policy allows the ecr:CreateRepository action")
    nothing = (await federated(as_holder, user))["Credentials"]
    managed = await account.iam.create_policy(PolicyName="look", PolicyDocument=json.dumps(document("ecr:Describe*")))
    arns = [{"arn": managed["Policy"]["Arn"]}]
    by_arn = (await federated(as_holder, user, PolicyArns=arns))["Credentials"]
    with as_holder("ecr", nothing) as ecr:
        assert "no session policy allows" in (await ecr.refused("describe_registry")).message
    with as_holder("ecr", by_arn) as ecr:
        await ecr.describe_registry()


async def test_a_boundary_of_the_user_limits_it_too(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    credentials = (await federated(as_holder, user, ANYTHING))["Credentials"]
    limit = await account.iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(document("ecr:Describe*")))
    await account.iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=limit["Policy"]["Arn"])
    with as_holder("ecr", credentials) as ecr:
        await ecr.describe_registry()
        refused = await ecr.refused("create_repository", repositoryName="app")
        assert "because no permissions boundary allows the ecr:CreateRepository action" in refused.message


async def test_a_policy_on_a_repository_may_name_it(account: Account, api: Api, as_holder: As) -> None:
    """By its own name it needs no session policy; by its user's name alone it does."""
    user = await account.user(policy=document("sts:GetFederationToken"))
    nothing = (await federated(as_holder, user))["Credentials"]
    given = (await federated(as_holder, user, document("ecr:ListImages")))["Credentials"]
    named = {"repositoryName": "app"}
    await api.create_repository(**named)

    async def let(principal: str) -> None:
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "ecr:ListImages"}
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        await api.set_repository_policy(**named, policyText=text)

    with as_holder("ecr", nothing) as without, as_holder("ecr", given) as with_policy:
        for each in (without, with_policy):
            await each.refused("list_images", **named)
        await let(user.arn)
        assert "no session policy allows" in (await without.refused("list_images", **named)).message
        await with_policy.list_images(**named)
        await let(f"arn:aws:sts::{account.id}:federated-user/cora")
        await without.list_images(**named)
        await let(f"arn:aws:sts::{account.id}:federated-user/dora")
        await without.refused("list_images", **named)


async def test_policies_see_whose_session_it_is(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    arn = f"arn:aws:sts::{account.id}:federated-user/cora"
    held = {
        "StringEquals": {
            "aws:PrincipalType": "FederatedUser",
            "aws:PrincipalArn": arn,
            "aws:userid": f"{account.id}:cora",
            "aws:PrincipalTag/team": "blue",
        },
        "Null": {"aws:username": "true"},
        "Bool": {"aws:MultiFactorAuthPresent": "false"},
    }
    policy = document("ecr:*", Condition=held)
    tags = [{"Key": "team", "Value": "blue"}]
    for given, allowed in (({"Tags": tags}, True), ({}, False)):
        credentials = (await federated(as_holder, user, policy, **given))["Credentials"]
        with as_holder("ecr", credentials) as ecr:
            if allowed:
                await ecr.describe_registry()
            else:
                await ecr.refused("describe_registry")


async def test_it_takes_its_own_actions(account: Account, as_holder: As) -> None:
    arn = f"arn:aws:sts::{account.id}:federated-user"
    user = await account.user(policy=document("sts:GetFederationToken", resource=f"{arn}/co*"))
    await federated(as_holder, user)
    with as_holder("sts", user.credentials) as sts:
        for more, action, name in (
            ({"Name": "dora"}, "sts:GetFederationToken", "dora"),
            ({"Name": "cora", "Tags": [{"Key": "a", "Value": "b"}]}, "sts:TagSession", "cora"),
        ):
            refused = await sts.refused("get_federation_token", **more)
            assert (refused.code, refused.status) == ("AccessDenied", 403)
            assert refused.message == (
                f"User: {user.arn} is not authorized to perform: {action} on resource: {arn}/{name} "
                f"because no identity-based policy allows the {action} action"
            )


async def test_only_permanent_keys_make_federated_users(account: Account, as_holder: As, root_key: AccessKey) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), policy=ANYTHING)
    with as_holder("sts", user.credentials) as sts:
        sessions = [
            (await sts.get_session_token())["Credentials"],
            (await sts.assume_role(RoleArn=role.arn, RoleSessionName="ci"))["Credentials"],
            (await sts.get_federation_token(Name="cora", Policy=json.dumps(ANYTHING)))["Credentials"],
        ]
    for credentials in sessions:
        with as_holder("sts", credentials) as sts:
            refused = await sts.refused("get_federation_token", Name="dora")
            assert (refused.code, refused.message) == (
                "AccessDenied",
                "Cannot call GetFederationToken with session credentials",
            )
    with as_holder("sts", sessions[-1]) as sts:
        assert (await sts.refused("get_session_token")).code == "AccessDenied"
        refused = await sts.refused("assume_role", RoleArn=role.arn, RoleSessionName="ci")
        assert refused.message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role.arn}")
    with as_holder("iam", sessions[-1]) as iam:
        assert (await iam.refused("list_users")).message == INVALID


async def test_the_root_makes_them_for_an_hour(account: Account, as_holder: As, root_key: AccessKey) -> None:
    root = User("root", account.id, "", {"AccessKeyId": root_key.id, "SecretAccessKey": root_key.secret})
    credentials = (await federated(as_holder, root, document("ecr:Describe*")))["Credentials"]
    assert 3590 < (credentials["Expiration"] - datetime.now(UTC)).total_seconds() <= 3600
    with as_holder("ecr", credentials) as ecr:
        await ecr.describe_registry()
        assert "no session policy" in (await ecr.refused("create_repository", repositoryName="app")).message


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Name": "c"}, "ValidationError"),
        ({"Name": "c" * 33}, "ValidationError"),
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": 129601}, "ValidationError"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 11}, "ValidationError"),
        ({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "A", "Value": "b"}]}, "InvalidParameterValue"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said(
    account: Account, as_holder: As, given: dict[str, Any], code: str
) -> None:
    user = await account.user(policy=ANYTHING)
    with as_holder("sts", user.credentials) as sts:
        assert (await sts.refused("get_federation_token", **{"Name": "cora", **given})).code == code
        longest = await sts.get_federation_token(Name="cora", DurationSeconds=129600)
        left = (longest["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds()
        assert 129590 < left <= 129600


async def test_it_logs_in_to_the_registry(
    account: Account, api: Api, as_holder: As, registry_url: str, registry: Registry
) -> None:
    for name in ("team/app", "team/other"):
        await api.create_repository(repositoryName=name)
    user = await account.user(policy=ANYTHING)
    mine = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/team/app"
    statements = [document("ecr:GetAuthorizationToken"), document("ecr:ListImages", resource=mine)]
    policy = {"Version": "2012-10-17", "Statement": [each["Statement"] for each in statements]}
    credentials = (await federated(as_holder, user, policy, DurationSeconds=900))["Credentials"]
    with as_holder("ecr", credentials) as ecr:
        (data,) = (await ecr.get_authorization_token())["authorizationData"]
    assert data["expiresAt"] == credentials["Expiration"]
    base = f"{registry_url}/v2/{registry.account}/{registry.region}"
    headers = {"Authorization": f"Basic {data['authorizationToken']}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def ask(name: str) -> tuple[int, str]:
            async with http.get(f"{base}/{name}/tags/list") as answer:
                return answer.status, await answer.text()

        assert (await ask("team/app"))[0] == 200
        status, text = await ask("team/other")
        assert status == 403
        assert f"User: arn:aws:sts::{account.id}:federated-user/cora is not authorized" in text
        assert "because no session policy allows the ecr:ListImages action" in text
        key = user.credentials["AccessKeyId"]
        await account.iam.delete_user_policy(UserName=user.name, PolicyName="own")
        assert "because no identity-based policy" in (await ask("team/app"))[1]
        await account.iam.delete_access_key(UserName=user.name, AccessKeyId=key)
        await account.iam.delete_user(UserName=user.name)
        assert (await ask("team/app"))[0] == 403
