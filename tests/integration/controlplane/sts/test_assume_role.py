"""AssumeRole: the trust policy and the caller's own policies decide, and the session is what was asked for."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.names import Registry
from berth.sealing import Seal
from tests.integration.controlplane.conftest import CountedPlane, api_of
from tests.integration.controlplane.sts.conftest import ANYTHING, Account, As, Role, User, trusting

PULLING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["ecr:Describe*", "ecr:GetAuthorizationToken"], "Resource": "*"},
}


async def assumed(as_holder: As, credentials: dict[str, Any], role: Role, **more: Any) -> dict[str, Any]:
    with as_holder("sts", credentials) as sts:
        return await sts.assume_role(**{"RoleArn": role.arn, "RoleSessionName": "ci", **more})


async def refusal(as_holder: As, credentials: dict[str, Any], arn: str, **more: Any) -> tuple[str, str, int]:
    with as_holder("sts", credentials) as sts:
        found = await sts.refused("assume_role", **{"RoleArn": arn, "RoleSessionName": "ci", **more})
        return found.code, found.message, found.status


def denied(caller: str, arn: str, action: str = "sts:AssumeRole") -> tuple[str, str, int]:
    return "AccessDenied", f"User: {caller} is not authorized to perform: {action} on resource: {arn}", 403


async def test_a_session_of_a_role_is_who_it_says(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), policy=PULLING, Path="/ci/")
    answer = await assumed(as_holder, user.credentials, role)
    arn = f"arn:aws:sts::{account.id}:assumed-role/deployer/ci"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role.id}:ci", "Arn": arn}
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert 3590 < (credentials["Expiration"] - datetime.now(UTC)).total_seconds() <= 3600
    assert "PackedPolicySize" not in answer
    with as_holder("sts", credentials) as sts:
        caller = await sts.get_caller_identity()
        assert caller == {"UserId": f"{role.id}:ci", "Account": account.id, "Arn": arn}
    with as_holder("ecr", credentials) as ecr:
        assert await ecr.describe_repositories() == {"repositories": []}
        refused = await ecr.refused("create_repository", repositoryName="team/app")
        assert refused.code == "AccessDeniedException"
        assert refused.message.startswith(f"User: {arn} is not authorized to perform: ecr:CreateRepository")


async def test_both_sides_have_to_allow_it(account: Account, as_holder: As) -> None:
    nobody = await account.user("nobody")
    ada = await account.user("ada", policy=ANYTHING)
    whole = await account.role(account.everybody(), "whole")
    direct = await account.role(trusting({"AWS": nobody.arn}), "direct")
    await assumed(as_holder, ada.credentials, whole)
    await assumed(as_holder, nobody.credentials, direct)
    missing = f"arn:aws:iam::{account.id}:role/missing"
    for user, arn in ((nobody, whole.arn), (ada, direct.arn), (ada, missing), (ada, whole.arn.replace("/", "/x/"))):
        assert await refusal(as_holder, user.credentials, arn) == denied(user.arn, arn)


async def test_an_external_id_has_to_be_the_right_one(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(StringEquals={"sts:ExternalId": "secret-7"}))
    await assumed(as_holder, user.credentials, role, ExternalId="secret-7")
    for given in ({}, {"ExternalId": "secret-8"}):
        assert await refusal(as_holder, user.credentials, role.arn, **given) == denied(user.arn, role.arn)


async def test_a_session_policy_only_takes_away(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), policy=PULLING)
    only = {"Statement": {"Effect": "Allow", "Action": ["ecr:DescribeRegistry", "ecr:Create*"], "Resource": "*"}}
    answer = await assumed(as_holder, user.credentials, role, Policy=json.dumps({"Version": "2012-10-17", **only}))
    assert 0 < answer["PackedPolicySize"] <= 100
    with as_holder("ecr", answer["Credentials"]) as ecr:
        await ecr.describe_registry()
        refused = await ecr.refused("describe_repositories")
        assert refused.message.endswith("because no session policy allows the ecr:DescribeRepositories action")
        refused = await ecr.refused("create_repository", repositoryName="team/app")
        assert refused.message.endswith("because no identity-based policy allows the ecr:CreateRepository action")


async def test_a_managed_policy_can_be_the_session_policy(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), policy=ANYTHING)
    registry = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:DescribeR*", "Resource": "*"}}
    made = await account.iam.create_policy(PolicyName="look", PolicyDocument=json.dumps(registry))
    answer = await assumed(as_holder, user.credentials, role, PolicyArns=[{"arn": made["Policy"]["Arn"]}])
    with as_holder("ecr", answer["Credentials"]) as ecr:
        await ecr.describe_repositories()
        refused = await ecr.refused("create_repository", repositoryName="team/app")
        assert refused.message.endswith("because no session policy allows the ecr:CreateRepository action")


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        ({"DurationSeconds": 899}, "ValidationError", "greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "ValidationError", "less than or equal to 43200"),
        (
            {"DurationSeconds": 3601},
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        ({"RoleSessionName": "a"}, "ValidationError", "length greater than or equal to 2"),
        ({"RoleSessionName": "a b"}, "ValidationError", "regular expression pattern: [\\w+=,.@-]*"),
        ({"arn": "arn:aws:iam::000000000000:user/ada"}, "ValidationError", "user/ada is invalid"),
        ({"Policy": "{"}, "MalformedPolicyDocument", "Syntax errors in policy."),
        ({"Policy": json.dumps(ANYTHING) + " " * 2048}, "PackedPolicyTooLarge", "Packed policy consumes 105% of"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:role/administrator"}]}, "ValidationError", "is not valid"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue", "Duplicate tag"),
        ({"TransitiveTagKeys": ["a"]}, "InvalidParameterValue", "must be included in the requested tags."),
        ({"SerialNumber": "arn:aws:iam::1:mfa/a", "TokenCode": "123456"}, "AccessDenied", "MultiFactorAuth"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(
    account: Account, as_holder: As, more: dict[str, Any], code: str, text: str
) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody("sts:TagSession"))
    found = await refusal(as_holder, user.credentials, **{"arn": role.arn, **more})
    assert found[0] == code
    assert text in found[1]


async def test_a_role_may_last_as_long_as_it_says(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), MaxSessionDuration=7200)
    answer = await assumed(as_holder, user.credentials, role, DurationSeconds=7200)
    assert (answer["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds() > 7190


async def test_roles_in_a_chain_last_an_hour(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    first = await account.role(account.everybody(), "first", policy=ANYTHING)
    second = await account.role(account.everybody(), "second", MaxSessionDuration=43200)
    session = (await assumed(as_holder, user.credentials, first))["Credentials"]
    await assumed(as_holder, session, second, DurationSeconds=3600)
    assert await refusal(as_holder, session, second.arn, DurationSeconds=3601) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        400,
    )


async def test_the_root_assumes_no_role(account: Account, as_holder: As) -> None:
    role = await account.role(account.everybody())
    refused = await Account(account.iam, account.id).iam.list_roles()
    assert refused["Roles"]
    with as_holder("sts", root_of(account)) as sts:
        found = await sts.refused("assume_role", RoleArn=role.arn, RoleSessionName="ci")
    assert (found.code, found.message) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def root_of(account: Account) -> dict[str, str]:
    credentials = account.iam.client._request_signer._credentials
    return {"AccessKeyId": credentials.access_key, "SecretAccessKey": credentials.secret_key}


async def test_tags_need_an_action_of_their_own_and_are_handed_on(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    closed = await account.role(account.everybody(), "closed")
    first = await account.role(account.everybody("sts:TagSession"), "first", policy=ANYTHING)
    by_tag = account.everybody("sts:TagSession", StringEquals={"aws:PrincipalTag/team": "blue"})
    second = await account.role(by_tag, "second", policy=ANYTHING)
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "job", "Value": "7"}]
    asked = {"Tags": tags, "TransitiveTagKeys": ["team"]}
    assert await refusal(as_holder, user.credentials, closed.arn, **asked) == denied(
        user.arn, closed.arn, "sts:TagSession"
    )
    one = (await assumed(as_holder, user.credentials, first, **asked))["Credentials"]
    two = (await assumed(as_holder, one, second))["Credentials"]
    # The tag is handed on to the second session, and to a third.
    await assumed(as_holder, two, second)
    conflict = await refusal(as_holder, two, second.arn, Tags=[{"Key": "Team", "Value": "red"}])
    assert conflict[0] == "InvalidParameterValue"
    untagged = (await assumed(as_holder, user.credentials, first))["Credentials"]
    arn = f"arn:aws:sts::{account.id}:assumed-role/first/ci"
    assert await refusal(as_holder, untagged, second.arn) == denied(arn, second.arn)


async def test_a_source_identity_stays(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    closed = await account.role(account.everybody(), "closed")
    first = await account.role(account.everybody("sts:SetSourceIdentity"), "first", policy=ANYTHING)
    assert await refusal(as_holder, user.credentials, closed.arn, SourceIdentity="ada") == denied(
        user.arn, closed.arn, "sts:SetSourceIdentity"
    )
    answer = await assumed(as_holder, user.credentials, first, SourceIdentity="ada")
    assert answer["SourceIdentity"] == "ada"
    again = await assumed(as_holder, answer["Credentials"], first)
    assert again["SourceIdentity"] == "ada"
    assert (await refusal(as_holder, answer["Credentials"], first.arn, SourceIdentity="eve"))[0] == "AccessDenied"
    # A role that does not allow it cannot be reached by a session that has one.
    arn = f"arn:aws:sts::{account.id}:assumed-role/first/ci"
    assert await refusal(as_holder, again["Credentials"], closed.arn) == denied(
        arn, closed.arn, "sts:SetSourceIdentity"
    )


async def test_a_role_of_another_account_needs_both_sides(
    account: Account, as_holder: As, plane: CountedPlane, database: Database, seal: Seal, registry: Registry
) -> None:
    other = await access_keys.create_root(database, seal, f"{secrets.randbelow(10**12):012}")
    ours = await account.user("ours", policy=ANYTHING)
    idle = await account.user("idle")
    with api_of("iam", plane.url, other, registry.region) as iam:
        there = Account(iam, other.principal.account)
        role = await there.role(trusting({"AWS": f"arn:aws:iam::{account.id}:root"}))
        named = await there.role(trusting({"AWS": idle.arn}), "named")
        closed = await there.role(there.everybody(), "closed")
    credentials = (await assumed(as_holder, ours.credentials, role))["Credentials"]
    with as_holder("sts", credentials) as sts:
        assert (await sts.get_caller_identity())["Account"] == there.id
    for user, arn in ((idle, role.arn), (idle, named.arn), (ours, named.arn), (ours, closed.arn)):
        assert await refusal(as_holder, user.credentials, arn) == denied(user.arn, arn)


async def test_a_session_ends_with_its_role(account: Account, as_holder: As) -> None:
    user: User = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody())
    credentials = (await assumed(as_holder, user.credentials, role))["Credentials"]
    with as_holder("sts", credentials) as sts:
        await sts.get_caller_identity()
        await account.iam.delete_role(RoleName="deployer")
        await asyncio.sleep(0)
        # A new role of the same name is another one.
        await account.role(account.everybody())
        refused = await sts.refused("get_caller_identity")
        assert (refused.code, refused.status) == ("InvalidClientTokenId", 403)
        assert refused.message == "The security token included in the request is invalid."


async def test_a_role_tells_when_it_was_used_last(account: Account, as_holder: As, registry: Registry) -> None:
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody())
    assert (await account.iam.get_role(RoleName="deployer"))["Role"]["RoleLastUsed"] == {}
    await refusal(as_holder, user.credentials, role.arn.replace("deployer", "other"))
    assert (await account.iam.get_role(RoleName="deployer"))["Role"]["RoleLastUsed"] == {}
    await assumed(as_holder, user.credentials, role)
    used = await eventually_used(account)
    assert used["Region"] == registry.region
    assert abs(used["LastUsedDate"] - datetime.now(UTC)) < timedelta(minutes=5)
    (listed,) = (await account.iam.list_roles())["Roles"]
    assert "RoleLastUsed" not in listed


async def eventually_used(account: Account) -> dict[str, Any]:
    """It is noted beside the request."""
    for _ in range(100):
        used: dict[str, Any] = (await account.iam.get_role(RoleName="deployer"))["Role"]["RoleLastUsed"]
        if used:
            return used
        await asyncio.sleep(0.05)
    raise AssertionError("the use of the role was not noted")
