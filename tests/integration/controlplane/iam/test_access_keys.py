"""Access keys: what they open, for how long, who may have them and what is told of their use."""

import asyncio
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.schema import access_keys as table
from berth.schema import accounts
from berth.sealing import Seal
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.conftest import As

Key = dict[str, str]


@pytest.fixture
async def key(iam: Api) -> Key:
    """A key of the user bob."""
    await iam.create_user(UserName="bob", Path="/ops/")
    made: Key = (await iam.create_access_key(UserName="bob"))["AccessKey"]
    return made


async def test_a_key_is_shown_once_and_listed_without_its_secret(iam: Api, key: Key) -> None:
    assert re.fullmatch("AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert re.fullmatch("[A-Za-z0-9+/]{40}", key["SecretAccessKey"])
    shown = {name: value for name, value in key.items() if name != "SecretAccessKey"}
    assert shown == {**shown, "UserName": "bob", "Status": "Active"}
    assert (await iam.list_access_keys(UserName="BOB"))["AccessKeyMetadata"] == [shown]


async def test_a_secret_is_kept_sealed(database: Database, key: Key) -> None:
    async with database.reading() as connection:
        row = (await connection.execute(sqlalchemy.select(table).where(table.c.id == key["AccessKeyId"]))).one()
    assert key["SecretAccessKey"].encode() not in row.sealed_secret
    assert key["SecretAccessKey"] not in str(row)


async def test_a_key_proves_its_user_by_its_name_of_today(iam: Api, as_key: As, key: Key, registry: Registry) -> None:
    user = (await iam.get_user(UserName="bob"))["User"]
    with as_key("sts", key) as sts:
        assert await sts.get_caller_identity() == {
            "UserId": user["UserId"],
            "Account": registry.account,
            "Arn": f"arn:aws:iam::{registry.account}:user/ops/bob",
        }
        await iam.update_user(UserName="bob", NewUserName="Robert", NewPath="/")
        assert (await sts.get_caller_identity())["Arn"] == f"arn:aws:iam::{registry.account}:user/Robert"


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ecr", "describe_registry", "UnrecognizedClientException"),
    ],
)
async def test_an_inactive_key_opens_nothing(
    iam: Api, as_key: As, key: Key, service: str, operation: str, code: str
) -> None:
    named = {"UserName": "bob", "AccessKeyId": key["AccessKeyId"]}
    with as_key(service, key) as api:
        await iam.update_access_key(**named, Status="Inactive")
        refusal = await api.refused(operation)
        assert (refusal.code, refusal.message) == (code, "The security token included in the request is invalid.")
        listed = (await iam.list_access_keys(UserName="bob"))["AccessKeyMetadata"]
        assert [one["Status"] for one in listed] == ["Inactive"]
        await iam.update_access_key(**named, Status="Active")
        with as_key("sts", key) as sts:
            await sts.get_caller_identity()
        await iam.delete_access_key(**named)
        assert (await api.refused(operation)).code == code


async def test_the_keys_of_a_closed_account_open_nothing(
    iam: Api, database: Database, seal: Seal, key: Key, registry: Registry
) -> None:
    assert await access_keys.find(database, seal, key["AccessKeyId"]) is not None
    closing = sqlalchemy.update(accounts).where(accounts.c.id == registry.account)
    async with database.transaction() as connection:
        await connection.execute(closing.values(closed_at=datetime.now(UTC)))
    assert await access_keys.find(database, seal, key["AccessKeyId"]) is None
    assert await access_keys.root_of(database, seal, registry.account) is None


async def test_a_user_has_two_keys_at_most(iam: Api, key: Key) -> None:
    calls = [asyncio.to_thread(iam.client.create_access_key, UserName="bob") for _ in range(3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in results) == 2
    refusal = await iam.refused("create_access_key", UserName="bob")
    assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
    assert refusal.message == "Cannot exceed quota for AccessKeysPerUser: 2"
    pages = await iam.pages("list_access_keys", UserName="bob", PaginationConfig={"PageSize": 1})
    assert len({page["AccessKeyMetadata"][0]["AccessKeyId"] for page in pages}) == len(pages) == 2


async def test_the_root_has_keys_of_its_own(iam: Api, as_key: As, root_key: AccessKey, registry: Registry) -> None:
    second = (await iam.create_access_key())["AccessKey"]
    assert "UserName" not in second
    ids = {one["AccessKeyId"] for one in (await iam.list_access_keys())["AccessKeyMetadata"]}
    assert ids == {root_key.id, second["AccessKeyId"]}
    assert (await iam.refused("create_access_key")).code == "LimitExceeded"
    with as_key("sts", second) as sts:
        assert (await sts.get_caller_identity())["UserId"] == registry.account
    await iam.delete_access_key(AccessKeyId=second["AccessKeyId"])
    assert len((await iam.list_access_keys())["AccessKeyMetadata"]) == 1


@pytest.mark.parametrize(
    ("operation", "members"), [("update_access_key", {"Status": "Inactive"}), ("delete_access_key", {})]
)
async def test_a_key_is_changed_by_its_own_user_alone(iam: Api, key: Key, operation: str, members: Key) -> None:
    await iam.create_user(UserName="eve")
    for owner in ({"UserName": "eve"}, {}):
        refusal = await iam.refused(operation, AccessKeyId=key["AccessKeyId"], **owner, **members)
        assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
        assert refusal.message == f"The Access Key with id {key['AccessKeyId']} cannot be found."


async def test_a_key_is_active_or_inactive(iam: Api, key: Key) -> None:
    named = {"UserName": "bob", "AccessKeyId": key["AccessKeyId"]}
    assert (await iam.refused("update_access_key", **named, Status="Expired")).code == "InvalidInput"
    refusal = await iam.refused("update_access_key", **named, Status="Gone")
    assert refusal.code == "ValidationError"
    assert "Member must satisfy enum value set: [" in refusal.message


async def test_a_registry_password_lives_and_dies_with_its_key(iam: Api, as_key: As, registry_url: str) -> None:
    key = (await iam.create_access_key())["AccessKey"]
    with as_key("ecr", key) as ecr:
        token = (await ecr.get_authorization_token())["authorizationData"][0]["authorizationToken"]
    assert await registry_status(registry_url, token) == 200
    for status, expected in (("Inactive", 403), ("Active", 200)):
        await iam.update_access_key(AccessKeyId=key["AccessKeyId"], Status=status)
        assert await registry_status(registry_url, token) == expected
    await iam.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert await registry_status(registry_url, token) == 403


async def registry_status(registry_url: str, token: str) -> int:
    def ask() -> int:
        request = urllib.request.Request(f"{registry_url}/v2/", headers={"Authorization": f"Basic {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    return await asyncio.to_thread(ask)


async def test_a_key_tells_when_it_was_used_last(iam: Api, as_key: As, key: Key, registry: Registry) -> None:
    unused = await iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert unused == {"UserName": "bob", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
    with as_key("sts", key) as sts:
        await sts.get_caller_identity()
    used = await eventually_used(iam, key["AccessKeyId"])
    assert (used["ServiceName"], used["Region"]) == ("sts", registry.region)
    assert abs(used["LastUsedDate"] - datetime.now(UTC)) < timedelta(minutes=5)


async def eventually_used(iam: Api, access_key_id: str) -> dict[str, Any]:
    """It is noted beside the request."""
    for _ in range(100):
        used: dict[str, Any] = (await iam.get_access_key_last_used(AccessKeyId=access_key_id))["AccessKeyLastUsed"]
        if "LastUsedDate" in used:
            return used
        await asyncio.sleep(0.05)
    raise AssertionError("the use of the key was not noted")


async def test_a_request_that_its_secret_did_not_sign_is_no_use(iam: Api, as_key: As, key: Key) -> None:
    with as_key("sts", {**key, "SecretAccessKey": "x" * 40}) as sts:
        await sts.refused("get_caller_identity")
    used = (await iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"]))["AccessKeyLastUsed"]
    assert "LastUsedDate" not in used


async def test_the_use_of_a_foreign_key_is_not_told(iam: Api, registry: Registry) -> None:
    refusal = await iam.refused("get_access_key_last_used", AccessKeyId="AKIAAAAAAAAAAAAAAAAA")
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    assert refusal.message == (
        f"User: arn:aws:iam::{registry.account}:root is not authorized to perform: iam:GetAccessKeyLastUsed on "
        "resource: access key AKIAAAAAAAAAAAAAAAAA because no identity-based policy allows the "
        "iam:GetAccessKeyLastUsed action"
    )


async def test_no_secret_is_in_the_database_in_clear_or_in_a_listing(iam: Api, database: Database, key: Key) -> None:
    listed = await access_keys.listing(database)
    mine = next(one for one in listed if one.id == key["AccessKeyId"])
    assert mine.principal_arn.endswith(":user/ops/bob")
    assert key["SecretAccessKey"] not in repr(listed)
