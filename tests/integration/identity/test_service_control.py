"""Service control policies: what is kept of an account, and that nobody in it may do more."""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import service_control
from berth.identity.directory.accounts import AccountUnknown
from berth.identity.directory.service_control import FULL_ACCESS, NotSuited


def policy(effect: str, *actions: str) -> str:
    statement = {"Effect": effect, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def account(root_key: AccessKey) -> str:
    return root_key.principal.account


async def refusal(ecr: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(ecr.create_repository, **members)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(caught.value.response["Error"]["Message"])


async def test_an_account_may_do_everything_until_a_policy_is_set(database: Database, account: str, ecr: Any) -> None:
    assert list(await service_control.of(database, account)) == [FULL_ACCESS]
    await asyncio.to_thread(ecr.create_repository, repositoryName="one")


async def test_a_policy_that_denies_leaves_the_rest_allowed(database: Database, account: str, ecr: Any) -> None:
    await service_control.put(database, account, {"no-new": policy("Deny", "ecr:CreateRepository")})
    assert set(await service_control.of(database, account)) == {FULL_ACCESS, "no-new"}
    words = await refusal(ecr, repositoryName="one")
    assert words.endswith("with an explicit deny in a service control policy")
    assert words.startswith(f"User: arn:aws:iam::{account}:root is not authorized to perform: ecr:CreateRepository")
    await asyncio.to_thread(ecr.describe_repositories)

    await service_control.remove(database, account)
    assert list(await service_control.of(database, account)) == [FULL_ACCESS]
    await asyncio.to_thread(ecr.create_repository, repositoryName="one")


async def test_without_full_access_only_what_some_policy_allows(database: Database, account: str, ecr: Any) -> None:
    texts = {"reads": policy("Allow", "ecr:Describe*"), "lists": policy("Allow", "ecr:ListImages")}
    await service_control.put(database, account, texts)
    await service_control.remove(database, account, FULL_ACCESS)
    words = await refusal(ecr, repositoryName="one")
    assert words.endswith("because no service control policy allows the ecr:CreateRepository action")
    await asyncio.to_thread(ecr.describe_repositories)
    await service_control.remove(database, account, "lists")
    # FullAWSAccess was removed, and stays so when others are put.
    await service_control.put(database, account, {"reads": texts["reads"]})
    assert list(await service_control.of(database, account)) == ["reads"]
    with pytest.raises(NotSuited, match="it is the last"):
        await service_control.remove(database, account, "reads")
    with pytest.raises(NotSuited, match="has no policy 'other'"):
        await service_control.remove(database, account, "other")


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"a": "{"}, "a: Syntax errors in policy"),
        ({"a": policy("Maybe", "ecr:*")}, "a: "),
        ({"a": policy("Allow", "ecr")}, "a: Actions/Conditions must be prefaced by a vendor"),
        ({"a": '{"Statement": []}'}, "a: "),
        ({"a": policy("Allow", *["ecr:ListImages"] * 300)}, "5,120 are the most"),
        ({FULL_ACCESS: policy("Deny", "*")}, "cannot be the name"),
        ({"a b": policy("Deny", "*")}, "cannot be the name"),
        ({str(number): policy("Deny", "s3:*") for number in range(5)}, "5 policies at most"),
    ],
)
async def test_what_is_no_policy_changes_nothing(
    database: Database, account: str, texts: dict[str, str], complaint: str
) -> None:
    with pytest.raises(NotSuited, match=complaint):
        await service_control.put(database, account, texts)
    assert list(await service_control.of(database, account)) == [FULL_ACCESS]


async def test_an_account_that_is_not_there(database: Database) -> None:
    with pytest.raises(AccountUnknown):
        await service_control.put(database, "999999999997", {})
    with pytest.raises(AccountUnknown):
        await service_control.of(database, "999999999997")
    with pytest.raises(AccountUnknown):
        await service_control.remove(database, "999999999997")
