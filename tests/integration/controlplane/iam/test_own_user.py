"""What a user may do to itself without naming itself, where a policy lets it."""

import json

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.conftest import As

Key = dict[str, str]


@pytest.fixture
async def key(iam: Api) -> Key:
    """A key of bob, who may do everything to bob, by the name that he has."""
    await iam.create_user(UserName="bob", Path="/ops/", Tags=[{"Key": "a", "Value": "b"}])
    statement = {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/ops/${aws:username}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    await iam.put_user_policy(UserName="bob", PolicyName="self", PolicyDocument=document)
    made: Key = (await iam.create_access_key(UserName="bob"))["AccessKey"]
    return made


async def test_a_user_is_told_of_itself(iam: Api, as_key: As, key: Key) -> None:
    with as_key("iam", key) as own:
        told = await own.get_user()
        assert told == await iam.get_user(UserName="bob")
        assert told["User"]["Tags"] == [{"Key": "a", "Value": "b"}]


async def test_a_user_rolls_its_own_keys_over(as_key: As, key: Key) -> None:
    with as_key("iam", key) as own:
        second = (await own.create_access_key())["AccessKey"]
        assert second["UserName"] == "bob"
        listed = (await own.list_access_keys())["AccessKeyMetadata"]
        assert {one["AccessKeyId"] for one in listed} == {key["AccessKeyId"], second["AccessKeyId"]}
    with as_key("iam", second) as own:
        await own.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
        await own.delete_access_key(AccessKeyId=key["AccessKeyId"])
        assert (await own.list_mfa_devices())["MFADevices"] == []
        assert (await own.refused("get_login_profile")).message == "Login Profile for User bob cannot be found."


async def test_a_user_does_not_reach_another(iam: Api, as_key: As, key: Key, registry: Registry) -> None:
    await iam.create_user(UserName="eve", Path="/ops/")
    with as_key("iam", key) as own:
        for operation, members in (
            ("get_user", {"UserName": "eve"}),
            ("create_access_key", {"UserName": "eve"}),
            ("delete_user", {"UserName": "eve"}),
            ("list_users", {}),
            ("create_user", {"UserName": "new", "Path": "/ops/"}),
        ):
            refusal = await own.refused(operation, **members)
            assert (refusal.code, refusal.status) == ("AccessDenied", 403), operation
            assert refusal.message.startswith(
                f"User: arn:aws:iam::{registry.account}:user/ops/bob is not authorized to perform: iam:"
            )


async def test_a_policy_by_name_follows_the_user(iam: Api, as_key: As, key: Key) -> None:
    with as_key("iam", key) as own:
        await iam.update_user(UserName="bob", NewUserName="Robert")
        assert (await own.get_user())["User"]["UserName"] == "Robert"
        await iam.update_user(UserName="Robert", NewPath="/elsewhere/")
        assert (await own.refused("get_user")).code == "AccessDenied"


async def test_a_deleted_user_is_nobody(iam: Api, as_key: As, key: Key) -> None:
    with as_key("iam", key) as own:
        await own.get_user()
        await iam.delete_user_policy(UserName="bob", PolicyName="self")
        assert (await own.refused("get_user")).code == "AccessDenied"
        await iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
        await iam.delete_user(UserName="bob")
        assert (await own.refused("get_user")).code == "InvalidClientTokenId"


async def test_who_moves_a_user_needs_to_be_allowed_what_it_becomes(iam: Api, as_key: As, key: Key) -> None:
    """IAM API reference, "UpdateUser": "the appropriate permissions on both the source and target objects"."""
    await iam.create_user(UserName="eve", Path="/team/")
    await iam.create_group(GroupName="devs", Path="/team/")
    places = ["user/team/*", "group/team/*", "user/other"]
    statement = {"Effect": "Allow", "Action": "iam:Update*", "Resource": [f"arn:aws:iam::*:{each}" for each in places]}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    await iam.put_user_policy(UserName="bob", PolicyName="self", PolicyDocument=document)
    with as_key("iam", key) as own:
        assert (await own.refused("update_user", UserName="eve", NewPath="/admins/")).code == "AccessDenied"
        assert (await own.refused("update_group", GroupName="devs", NewPath="/")).code == "AccessDenied"
        await own.update_user(UserName="eve", NewPath="/team/leads/", NewUserName="Eva")
        await own.update_group(GroupName="devs", NewGroupName="developers")
        await own.update_user(UserName="Eva", NewPath="/", NewUserName="other")
