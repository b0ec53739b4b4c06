"""How many statements each operation sends to PostgreSQL; one of them asks whom the call is about, to authorize it."""

from typing import Any

import pytest

from tests.integration.controlplane.conftest import Api, CountedPlane

Members = dict[str, Any]
# What is remembered of the caller is asked again where a busy machine has not heard from PostgreSQL for a second.
WHO_CALLS = ("access_keys.sealed_secret", "service_control_policies", "last_used_service")
BOB, OPS = {"UserName": "bob"}, {"GroupName": "ops"}


@pytest.mark.parametrize(
    ("operation", "members", "number"),
    [
        ("create_user", {"UserName": "new"}, 4),
        ("get_user", BOB, 2),
        ("get_user", {}, 1),
        ("list_users", {}, 1),
        ("update_user", {**BOB, "NewUserName": "new"}, 7),
        ("tag_user", {**BOB, "Tags": [{"Key": "a", "Value": "b"}]}, 4),
        ("untag_user", {**BOB, "TagKeys": ["a"]}, 4),
        ("list_user_tags", BOB, 2),
        ("create_group", {"GroupName": "new"}, 4),
        ("get_group", OPS, 3),
        ("list_groups", {}, 1),
        ("add_user_to_group", {**BOB, **OPS}, 6),
        ("remove_user_from_group", {**BOB, **OPS}, 5),
        ("delete_group", OPS, 5),
        ("list_groups_for_user", BOB, 3),
        ("create_access_key", BOB, 5),
        ("list_access_keys", BOB, 3),
        ("delete_user", BOB, 6),
        ("get_account_summary", {}, 1),
        ("list_mfa_devices", BOB, 3),
    ],
)
async def test_an_operation_sends_so_many_statements(
    iam: Api, plane: CountedPlane, operation: str, members: Members, number: int
) -> None:
    await iam.create_user(**BOB)
    await iam.create_group(**OPS)
    with plane.counting() as statements:
        await getattr(iam, operation)(**members)
    about_it = [statement for statement in statements if not any(words in statement for words in WHO_CALLS)]
    assert len(about_it) == number, "\n".join(about_it)
