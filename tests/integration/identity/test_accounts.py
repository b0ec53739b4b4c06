"""Accounts: one is made, another may use what it shares, and once it is closed nobody may use anything of it."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from berth.cli.preparation import NotPrepared, prepare_root
from berth.database.db import Database
from berth.identity import access_keys
from berth.identity.access_keys import AccessKey
from berth.identity.directory import accounts
from berth.identity.directory.accounts import AccountTaken, AccountUnknown
from berth.names import NameInvalid, Registry
from berth.sealing import Seal
from berth.settings import Settings

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
