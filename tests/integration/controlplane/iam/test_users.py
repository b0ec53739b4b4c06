"""Users: made, told of, listed, moved, tagged and deleted, and refused in IAM's words."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import text

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.names import Registry
from berth.sealing import Seal
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of

Members = dict[str, Any]


async def test_a_user_is_made_as_it_is_told_of(iam: Api, registry: Registry) -> None:
    tags = [{"Key": "Team", "Value": "a"}, {"Key": "cost centre", "Value": ""}]
    made = (await iam.create_user(UserName="Bob+=,.@_-", Path="/ops/eu/", Tags=tags))["User"]
    assert made["Arn"] == f"arn:aws:iam::{registry.account}:user/ops/eu/Bob+=,.@_-"
    assert (made["Path"], made["UserName"], made["Tags"]) == ("/ops/eu/", "Bob+=,.@_-", tags)
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert abs(made["CreateDate"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert (await iam.get_user(UserName="bob+=,.@_-"))["User"] == made
    listed = {name: value for name, value in made.items() if name != "Tags"}
    assert (await iam.list_users())["Users"] == [listed]


async def test_without_a_path_a_user_is_at_the_top(iam: Api, registry: Registry) -> None:
    made = (await iam.create_user(UserName="bob"))["User"]
    assert (made["Path"], made["Arn"]) == ("/", f"arn:aws:iam::{registry.account}:user/bob")
    assert "Tags" not in made


async def test_who_asks_for_no_user_is_told_of_itself(iam: Api, registry: Registry) -> None:
    user = (await iam.get_user())["User"]
    assert user.pop("CreateDate") < datetime.now(UTC)
    assert user == {"UserId": registry.account, "Arn": f"arn:aws:iam::{registry.account}:root"}


async def test_a_name_is_taken_in_any_case(iam: Api) -> None:
    await iam.create_user(UserName="bob")
    refusal = await iam.refused("create_user", UserName="BOB", Path="/other/")
    assert (refusal.code, refusal.status) == ("EntityAlreadyExists", 409)
    assert refusal.message == "User with name BOB already exists."
    assert refusal.response["Error"]["Type"] == "Sender"


async def test_of_many_who_make_the_same_user_one_succeeds(iam: Api) -> None:
    calls = [asyncio.to_thread(iam.client.create_user, UserName=name) for name in ("bob", "Bob", "BOB", "boB")]
    made = [one for one in await asyncio.gather(*calls, return_exceptions=True) if not isinstance(one, Exception)]
    assert len(made) == 1
    assert len((await iam.list_users())["Users"]) == 1


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_user", {}),
        ("delete_user", {}),
        ("update_user", {"NewUserName": "x"}),
        ("tag_user", {"Tags": []}),
        ("untag_user", {"TagKeys": ["a"]}),
        ("list_user_tags", {}),
        ("create_access_key", {}),
        ("list_access_keys", {}),
        ("list_groups_for_user", {}),
        ("list_mfa_devices", {}),
        ("list_ssh_public_keys", {}),
        ("list_signing_certificates", {}),
        ("list_service_specific_credentials", {}),
        ("get_login_profile", {}),
    ],
)
async def test_a_user_that_is_not_there_cannot_be_found(iam: Api, operation: str, members: Members) -> None:
    refusal = await iam.refused(operation, UserName="Nobody", **members)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == "The user with name Nobody cannot be found."


FAILED = "1 validation error detected: Value"
NAMES = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
PATHS = "It must begin and end with / and contain only alphanumeric characters and/or / characters."


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        ("create_user", {}, f"{FAILED} null at 'userName' failed to satisfy constraint: Member must not be null"),
        (
            "create_user",
            {"UserName": "x" * 65},
            f"{FAILED} '{'x' * 65}' at 'userName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            "get_user",
            {"UserName": "x" * 129},
            f"{FAILED} '{'x' * 129}' at 'userName' failed to satisfy constraint: "
            "Member must have length less than or equal to 128",
        ),
        ("create_user", {"UserName": "a b"}, f"The specified value for userName is invalid. {NAMES}"),
        ("create_user", {"UserName": "naïve"}, f"The specified value for userName is invalid. {NAMES}"),
        ("create_user", {"UserName": "bob", "Path": "ops"}, f"The specified value for path is invalid. {PATHS}"),
        ("create_user", {"UserName": "bob", "Path": "/a//b/"}, f"The specified value for path is invalid. {PATHS}"),
        ("update_user", {"UserName": "bob", "NewPath": "/x"}, f"The specified value for newPath is invalid. {PATHS}"),
        (
            "list_users",
            {"PathPrefix": "ops"},
            f"{FAILED} 'ops' at 'pathPrefix' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: \u002F[\u0021-\u007F]*",
        ),
        (
            "list_users",
            {"MaxItems": 1001},
            f"{FAILED} '1001' at 'maxItems' failed to satisfy constraint: "
            "Member must have value less than or equal to 1000",
        ),
        (
            "list_users",
            {"MaxItems": 0},
            f"{FAILED} '0' at 'maxItems' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        ("list_users", {"Marker": "never handed out"}, "Invalid Marker."),
        (
            "create_user",
            {"UserName": "bob", "Tags": [{"Key": "a!", "Value": "b"}]},
            f"{FAILED} 'a!' at 'tags.1.member.key' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+",
        ),
        (
            "tag_user",
            {"UserName": "bob", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
            f"{FAILED} at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        ),
        (
            "create_user",
            {"UserName": "x" * 65, "Path": ""},
            f"2 validation errors detected: Value '' at 'path' failed to satisfy constraint: Member must have length "
            f"greater than or equal to 1; Value '{'x' * 65}' at 'userName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
    ],
)
async def test_what_is_not_well_formed_is_refused_in_iams_words(
    iam: Api, operation: str, members: Members, words: str
) -> None:
    refusal = await iam.refused(operation, **members)
    assert (refusal.code, refusal.status) == ("ValidationError", 400)
    assert refusal.message == words


async def test_users_are_listed_by_name_beneath_a_path(iam: Api) -> None:
    for name, path in (("Zoe", "/a/b/"), ("adam", "/a/"), ("Bob", "/a%/"), ("carl", "/")):
        await iam.create_user(UserName=name, Path=path)

    async def names(**members: Any) -> list[str]:
        return [user["UserName"] for user in (await iam.list_users(**members))["Users"]]

    assert await names() == ["adam", "Bob", "carl", "Zoe"]
    assert await names(PathPrefix="/a/") == ["adam", "Zoe"]
    assert await names(PathPrefix="/a") == ["adam", "Bob", "Zoe"]
    assert await names(PathPrefix="/a%") == ["Bob"]
    assert await names(PathPrefix="/a/b/c/") == []


async def test_pages_neither_repeat_nor_hide_whatever_happens_between_them(iam: Api) -> None:
    for number in range(7):
        await iam.create_user(UserName=f"u{number}")
    first = await iam.list_users(MaxItems=3)
    assert [user["UserName"] for user in first["Users"]] == ["u0", "u1", "u2"]
    assert first["IsTruncated"]
    await iam.delete_user(UserName="u2")
    await iam.create_user(UserName="u1b")
    second = await iam.list_users(MaxItems=3, Marker=first["Marker"])
    assert [user["UserName"] for user in second["Users"]] == ["u3", "u4", "u5"]
    last = await iam.list_users(MaxItems=3, Marker=second["Marker"])
    assert ([user["UserName"] for user in last["Users"]], last["IsTruncated"]) == (["u6"], False)
    assert "Marker" not in last
    pages = await iam.pages("list_users", PaginationConfig={"PageSize": 2})
    assert [len(page["Users"]) for page in pages] == [2, 2, 2, 1]


async def test_a_marker_holds_in_its_own_listing_alone(iam: Api) -> None:
    for name in ("a", "b"):
        await iam.create_user(UserName=name)
        await iam.create_group(GroupName=name)
    marker = (await iam.list_users(MaxItems=1))["Marker"]
    for operation, members in (
        ("list_users", {"Marker": marker, "PathPrefix": "/x/"}),
        ("list_groups", {"Marker": marker}),
        ("list_users", {"Marker": marker[:20] + ("A" if marker[20] != "A" else "B") + marker[21:]}),
        ("list_users", {"Marker": marker * 40}),
    ):
        refusal = await iam.refused(operation, **members)
        assert (refusal.code, refusal.message) == ("ValidationError", "Invalid Marker.")


async def test_a_user_moves_and_is_renamed(iam: Api, registry: Registry) -> None:
    made = (await iam.create_user(UserName="bob"))["User"]
    await iam.create_user(UserName="eve")
    await iam.update_user(UserName="bob", NewPath="/ops/", NewUserName="Robert")
    moved = (await iam.get_user(UserName="robert"))["User"]
    assert moved == {
        **made,
        "UserName": "Robert",
        "Path": "/ops/",
        "Arn": f"arn:aws:iam::{registry.account}:user/ops/Robert",
    }
    assert (await iam.refused("get_user", UserName="bob")).code == "NoSuchEntity"
    refusal = await iam.refused("update_user", UserName="Robert", NewUserName="EVE")
    assert (refusal.code, refusal.message) == ("EntityAlreadyExists", "User with name EVE already exists.")
    await iam.update_user(UserName="Robert", NewUserName="ROBERT")
    assert (await iam.get_user(UserName="robert"))["User"]["UserName"] == "ROBERT"


async def test_tags_are_one_whatever_their_case(iam: Api) -> None:
    await iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "a"}, {"Key": "x", "Value": "1"}])
    await iam.tag_user(UserName="bob", Tags=[{"Key": "Team", "Value": "b"}, {"Key": "ünï", "Value": "/@ +"}])
    tags = (await iam.list_user_tags(UserName="bob"))["Tags"]
    assert tags == [{"Key": "Team", "Value": "b"}, {"Key": "x", "Value": "1"}, {"Key": "ünï", "Value": "/@ +"}]
    await iam.untag_user(UserName="bob", TagKeys=["TEAM", "missing"])
    assert [tag["Key"] for tag in (await iam.list_user_tags(UserName="bob"))["Tags"]] == ["x", "ünï"]


async def test_tags_are_listed_by_pages(iam: Api) -> None:
    keys = [f"{'界' * 127}{letter}" for letter in "abc"]
    await iam.create_user(UserName="bob", Tags=[{"Key": key, "Value": ""} for key in keys])
    pages = await iam.pages("list_user_tags", UserName="bob", PaginationConfig={"PageSize": 1})
    assert [tag["Key"] for page in pages for tag in page["Tags"]] == keys


async def test_tags_that_iam_refuses(iam: Api) -> None:
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    refusal = await iam.refused("create_user", UserName="bob", Tags=twice)
    assert refusal.code == "InvalidInput"
    assert refusal.message == "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    assert (await iam.refused("create_user", UserName="bob", Tags=[{"Key": "AWS:x", "Value": ""}])).code == (
        "InvalidInput"
    )
    await iam.create_user(UserName="bob", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    await iam.tag_user(UserName="bob", Tags=[{"Key": "K1", "Value": "new"}])
    refusal = await iam.refused("tag_user", UserName="bob", Tags=[{"Key": "one more", "Value": ""}])
    assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
    assert refusal.message == "Cannot exceed quota for TagsPerUser: 50"


async def test_a_user_is_deleted_when_nothing_hangs_on_it(iam: Api) -> None:
    made = (await iam.create_user(UserName="bob"))["User"]
    key = (await iam.create_access_key(UserName="bob"))["AccessKey"]
    await iam.create_group(GroupName="ops")
    await iam.add_user_to_group(GroupName="ops", UserName="bob")

    async def conflict() -> str:
        refusal = await iam.refused("delete_user", UserName="bob")
        assert (refusal.code, refusal.status) == ("DeleteConflict", 409)
        return refusal.message

    assert await conflict() == "Cannot delete entity, must delete access keys first."
    await iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    assert await conflict() == "Cannot delete entity, must remove users from group first."
    await iam.remove_user_from_group(GroupName="ops", UserName="bob")
    await iam.delete_user(UserName="bob")
    assert (await iam.refused("delete_user", UserName="bob")).code == "NoSuchEntity"
    assert (await iam.create_user(UserName="bob"))["User"]["UserId"] != made["UserId"]


async def test_accounts_do_not_see_each_others_users(
    iam: Api, plane: CountedPlane, registry: Registry, database: Database, seal: Seal
) -> None:
    await iam.create_user(UserName="bob")
    another = await access_keys.create_root(database, seal, f"{int(registry.account) ^ 1:012}")
    with api_of("iam", plane.url, another, registry.region) as theirs:
        assert (await theirs.list_users())["Users"] == []
        assert (await theirs.refused("get_user", UserName="bob")).code == "NoSuchEntity"
        await theirs.create_user(UserName="bob")
    assert len((await iam.list_users())["Users"]) == 1


async def test_an_account_has_five_thousand_users(iam: Api, registry: Registry, database: Database) -> None:
    filling = (
        "INSERT INTO identities (id, account, kind, path, name, folded_name) SELECT 'AIDA' || :account || n, :account,"
        " 'user', '/', 'u' || n, 'u' || n FROM generate_series(1, 4999) AS n"
    )
    async with database.transaction() as connection:
        await connection.execute(text(filling), {"account": registry.account})
    calls = [asyncio.to_thread(iam.client.create_user, UserName=name) for name in ("a", "b", "c")]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in results) == 2
    refusal = await iam.refused("create_user", UserName="d")
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for UsersPerAccount: 5000")


async def test_a_user_that_is_being_deleted_gets_nothing_more(iam: Api) -> None:
    """Whichever comes first, nothing is left that belongs to nobody, and no call fails by Berth's own fault."""
    await iam.create_group(GroupName="ops")
    for round_ in range(5):
        name = f"u{round_}"
        await iam.create_user(UserName=name)
        calls = (
            (iam.client.delete_user, {}),
            (iam.client.create_access_key, {}),
            (iam.client.add_user_to_group, {"GroupName": "ops"}),
            (iam.client.tag_user, {"Tags": [{"Key": "a", "Value": "b"}]}),
            (iam.client.update_user, {"NewPath": "/new/"}),
        )
        results = await asyncio.gather(
            *(asyncio.to_thread(call, UserName=name, **members) for call, members in calls), return_exceptions=True
        )
        codes = {one.response["Error"]["Code"] for one in results if isinstance(one, ClientError)}
        assert codes <= {"NoSuchEntity", "DeleteConflict"}
        assert not [one for one in results if isinstance(one, Exception) and not isinstance(one, ClientError)]
        is_left = name in [user["UserName"] for user in (await iam.list_users())["Users"]]
        members = [user["UserName"] for user in (await iam.get_group(GroupName="ops"))["Users"]]
        assert is_left or name not in members
