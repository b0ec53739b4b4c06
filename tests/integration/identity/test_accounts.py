"""Accounts: one is made, another may use what it shares, and once it is closed nobody may use anything of it."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from berth.cli.main import main
from berth.cli.preparation import NotPrepared, prepare_root
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import accounts, identities, keys
from berth.identity.directory.accounts import AccountTaken, AccountUnknown
from berth.names import NameInvalid, Registry
from berth.sealing import Seal
from berth.settings import Settings
from tests.identities import Identities

Client = Callable[[AccessKey], Any]


@pytest.fixture
def client(api_url: str, registry: Registry) -> Client:
    """An ECR client as whoever has the key."""

    def client(key: AccessKey) -> Any:
        return boto3.client(
            "ecr",
            endpoint_url=api_url,
            region_name=registry.region,
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
        )

    return client


async def test_a_new_account_has_a_root_with_a_key(database: Database, seal: Seal) -> None:
    made, key = await accounts.create(database, seal, name="Team One")
    assert re.fullmatch(r"[1-9][0-9]{11}", made.id)
    assert (made.name, made.is_open) == ("Team One", True)
    assert await access_keys.find(database, seal, key.id) == key == await access_keys.root_of(database, seal, made.id)
    assert await accounts.get(database, made.id) == made
    assert made in await accounts.listing(database)
    with pytest.raises(AccountTaken):
        await accounts.create(database, seal, made.id)


@pytest.mark.parametrize(
    ("account", "name"),
    [("1", None), ("12345678901a", None), (None, ""), (None, "a" * 51), (None, "a\nb"), (None, " a")],
)
async def test_what_no_account_can_be_called(
    database: Database, seal: Seal, account: str | None, name: str | None
) -> None:
    with pytest.raises(NameInvalid):
        await accounts.create(database, seal, account, name)


async def test_an_account_that_is_not_there(database: Database) -> None:
    for change in (accounts.get, accounts.close, accounts.reopen):
        with pytest.raises(AccountUnknown):
            await change(database, "999999999997")


async def test_it_is_closed_once_and_stays_so_since_then(database: Database, root_key: AccessKey) -> None:
    account = root_key.principal.account
    await accounts.close(database, account)
    closed = await accounts.get(database, account)
    await accounts.close(database, account)
    assert await accounts.get(database, account) == closed
    await accounts.reopen(database, account)
    assert (await accounts.get(database, account)).is_open


async def test_what_a_closed_account_shared_is_shared_no_more(
    database: Database, seal: Seal, root_key: AccessKey, client: Client
) -> None:
    owner, other = root_key.principal.account, (await accounts.create(database, seal))[1]
    sharing = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": other.principal.account},
            "Action": ["ecr:DescribeImages", "ecr:BatchGetImage"],
        },
    }
    own, theirs = client(root_key), client(other)
    await asyncio.to_thread(own.create_repository, repositoryName="shared")
    shared = {"registryId": owner, "repositoryName": "shared"}
    await asyncio.to_thread(own.set_repository_policy, repositoryName="shared", policyText=json.dumps(sharing))
    assert (await asyncio.to_thread(theirs.describe_images, **shared))["imageDetails"] == []

    await accounts.close(database, owner)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await asyncio.to_thread(theirs.describe_images, **shared)
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        await asyncio.to_thread(own.describe_images, repositoryName="shared")

    await accounts.reopen(database, owner)
    for _ in range(2):
        assert (await asyncio.to_thread(theirs.describe_images, **shared))["imageDetails"] == []
        await asyncio.to_thread(own.describe_images, repositoryName="shared")


async def test_berth_does_not_start_in_a_closed_account(
    database: Database, settings: Settings, registry: Registry
) -> None:
    there = settings.model_copy(update={"account_id": registry.account})
    assert (await prepare_root(there)).endswith(f"of account {registry.account}, new")
    await accounts.close(database, registry.account)
    with pytest.raises(NotPrepared, match=f"`berth account reopen {registry.account}` opens it again"):
        await prepare_root(there)
    await accounts.reopen(database, registry.account)
    assert (await prepare_root(there)).endswith(f"of account {registry.account}")


async def test_accounts_and_keys_are_listed_for_programs_too(
    database: Database, settings: Settings, seal: Seal, root_key: AccessKey
) -> None:
    account = root_key.principal.account
    theirs = await Identities(database, seal, account).user("alice")
    owner = keys.Owner(account, await identities.get(database, account, "user", "alice"))
    await keys.set_status(database, owner, theirs.id, "Inactive")

    listed = {key["AccessKeyId"]: key for key in await _listed(settings, "keys")}
    assert listed[root_key.id]["Status"] == "Active"
    assert (listed[theirs.id]["Arn"], listed[theirs.id]["Status"]) == (theirs.principal.arn, "Inactive")
    lines = (await _printed(settings, "keys", "list")).splitlines()
    assert [line.endswith("UTC  inactive") for line in lines if line.startswith(theirs.id)] == [True]
    assert theirs.secret not in str(listed)

    states = {each["Id"]: each["Status"] for each in await _listed(settings, "account")}
    assert states[account] == "ACTIVE"
    await accounts.close(database, account)
    (closed,) = [each for each in await _listed(settings, "account") if each["Id"] == account]
    assert closed["Status"] == "SUSPENDED"
    assert datetime.fromisoformat(closed["JoinedTimestamp"]) <= datetime.now(UTC)


async def _listed(settings: Settings, what: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(await _printed(settings, what, "list", "--json"))
    return found


async def _printed(settings: Settings, *words: str) -> str:
    assert settings.database_url
    url = settings.database_url.get_secret_value()
    given = [*words, "--database-url", url, "--data", str(settings.data)]
    result = await asyncio.to_thread(CliRunner().invoke, main, given)
    assert result.exit_code == 0, result.output
    return result.output
