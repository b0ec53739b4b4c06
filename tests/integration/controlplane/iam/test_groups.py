"""Groups: made, told of with their users, renamed, deleted when they are empty, and ten to a user at most."""

import asyncio
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api

Members = dict[str, Any]


async def test_a_group_is_made_as_it_is_told_of(iam: Api, registry: Registry) -> None:
    made = (await iam.create_group(GroupName="Ops", Path="/eu/"))["Group"]
    assert made["Arn"] == f"arn:aws:iam::{registry.account}:group/eu/Ops"
    assert made["GroupId"].startswith("AGPA")
    told = await iam.get_group(GroupName="oPS")
    assert told == {"Group": made, "Users": [], "IsTruncated": False}
    assert (await iam.list_groups())["Groups"] == [made]
    assert (await iam.list_groups(PathPrefix="/us/"))["Groups"] == []


async def test_a_user_and_a_group_may_have_one_name(iam: Api) -> None:
    await iam.create_user(UserName="ops")
    await iam.create_group(GroupName="ops")
    refusal = await iam.refused("create_group", GroupName="OPS")
    assert (refusal.code, refusal.message) == ("EntityAlreadyExists", "Group with name OPS already exists.")


async def test_the_users_of_a_group_are_told_by_pages(iam: Api) -> None:
    await iam.create_group(GroupName="ops")
    for name in ("c", "A", "b"):
        await iam.create_user(UserName=name)
        await iam.add_user_to_group(GroupName="ops", UserName=name)
        await iam.add_user_to_group(GroupName="OPS", UserName=name)
    pages = await iam.pages("get_group", GroupName="ops", PaginationConfig={"PageSize": 2})
    assert [[user["UserName"] for user in page["Users"]] for page in pages] == [["A", "b"], ["c"]]
    await iam.remove_user_from_group(GroupName="ops", UserName="a")
    await iam.remove_user_from_group(GroupName="ops", UserName="a")
    assert [user["UserName"] for user in (await iam.get_group(GroupName="ops"))["Users"]] == ["b", "c"]


async def test_a_user_is_in_ten_groups_at_most(iam: Api) -> None:
    await iam.create_user(UserName="bob")
    for number in range(12):
        await iam.create_group(GroupName=f"g{number:02}")
    for number in range(9):
        await iam.add_user_to_group(GroupName=f"g{number:02}", UserName="bob")
    calls = [
        asyncio.to_thread(iam.client.add_user_to_group, GroupName=f"g{number}", UserName="bob")
        for number in ("09", "10", "11")
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in results) == 2
    await iam.add_user_to_group(GroupName="g00", UserName="bob")
    others = [group["GroupName"] for group in (await iam.list_groups_for_user(UserName="bob"))["Groups"]]
    assert len(others) == 10
    lacking = next(name for name in ("g09", "g10", "g11") if name not in others)
    refusal = await iam.refused("add_user_to_group", GroupName=lacking, UserName="bob")
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
    pages = await iam.pages("list_groups_for_user", UserName="bob", PaginationConfig={"PageSize": 4})
    assert [group["GroupName"] for page in pages for group in page["Groups"]] == others


async def test_a_group_is_renamed_with_its_users_in_it(iam: Api, registry: Registry) -> None:
    await iam.create_group(GroupName="ops")
    await iam.create_group(GroupName="dev")
    await iam.create_user(UserName="bob")
    await iam.add_user_to_group(GroupName="ops", UserName="bob")
    refusal = await iam.refused("update_group", GroupName="ops", NewGroupName="Dev")
    assert refusal.message == "Group with name Dev already exists."
    await iam.update_group(GroupName="ops", NewGroupName="Operators", NewPath="/x/")
    groups = (await iam.list_groups_for_user(UserName="bob"))["Groups"]
    assert [group["Arn"] for group in groups] == [f"arn:aws:iam::{registry.account}:group/x/Operators"]


async def test_a_group_is_deleted_when_nobody_is_in_it(iam: Api) -> None:
    await iam.create_group(GroupName="ops")
    await iam.create_user(UserName="bob")
    await iam.add_user_to_group(GroupName="ops", UserName="bob")
    refusal = await iam.refused("delete_group", GroupName="ops")
    assert (refusal.code, refusal.status) == ("DeleteConflict", 409)
    assert refusal.message == "Cannot delete entity, must remove users from group first."
    await iam.remove_user_from_group(GroupName="ops", UserName="bob")
    await iam.delete_group(GroupName="ops")
    assert (await iam.list_groups())["Groups"] == []


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_group", {}),
        ("delete_group", {}),
        ("update_group", {"NewPath": "/x/"}),
        ("add_user_to_group", {"UserName": "bob"}),
        ("remove_user_from_group", {"UserName": "bob"}),
    ],
)
async def test_a_group_that_is_not_there_cannot_be_found(iam: Api, operation: str, members: Members) -> None:
    await iam.create_user(UserName="bob")
    refusal = await iam.refused(operation, GroupName="nothing", **members)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == "The group with name nothing cannot be found."


@pytest.mark.parametrize("operation", ["add_user_to_group", "remove_user_from_group"])
async def test_nobody_is_put_into_a_group_or_taken_out(iam: Api, operation: str) -> None:
    await iam.create_group(GroupName="ops")
    refusal = await iam.refused(operation, GroupName="ops", UserName="nobody")
    assert (refusal.code, refusal.message) == ("NoSuchEntity", "The user with name nobody cannot be found.")


async def test_a_group_name_may_be_longer_than_a_users(iam: Api) -> None:
    await iam.create_group(GroupName="g" * 128)
    refusal = await iam.refused("create_group", GroupName="g" * 129)
    assert refusal.code == "ValidationError"
