"""A mount takes a layer only from where its principal may read it, and does not tell whether it is elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from berth import repositories
from berth.database.db import Database
from berth.names import Registry, RepositoryName
from berth.repositories.mutability import Mutability
from tests.attacks.conftest import ABSENT, STRANGER, MakeRepository, same
from tests.integration.dataplane.conftest import RegistryClient


@pytest.fixture
async def target(database: Database, registry: Registry) -> AsyncIterator[str]:
    """A repository of the attacker's own."""
    own = Registry(STRANGER, registry.region)
    await repositories.create(database, own, RepositoryName("target"), mutability=Mutability.of("MUTABLE"))
    yield "target"
    await repositories.remove(database, own, "target", force=True)


async def test_nothing_is_mounted_from_another_account(
    client: RegistryClient, strangers_own: RegistryClient, make_repository: MakeRepository, target: str
) -> None:
    source = await make_repository("secret")
    secret = await client.push_blob("secret", b"their layer")
    prefix = f"{source.registry.account}/{source.registry.region}"
    froms = ["", f"&from={prefix}/secret", f"&from={prefix}/no-such", "&from=secret", "&from=", "&from=..%2fsecret"]
    for origin in froms:
        answers = [
            await strangers_own.send("POST", f"{target}/blobs/uploads/?mount={digest}{origin}")
            for digest in (secret, ABSENT)
        ]
        assert [answer.status for answer in answers] == [202, 202], origin
        assert same(*answers), origin
    assert (await strangers_own.send("HEAD", f"{target}/blobs/{secret}")).status == 404


async def test_a_layer_is_mounted_from_any_repository_of_ones_own(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    for name in ("first", "second", "target"):
        await make_repository(name)
    digest = await client.push_blob("second", b"our layer")
    answer = await client.send("POST", f"target/blobs/uploads/?mount={digest}")
    assert answer.status == 201
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Location"] == f"{client.prefix}/target/blobs/{digest}"
    assert (await client.send("GET", f"target/blobs/{digest}")).body == b"our layer"
    assert (await client.send("HEAD", f"first/blobs/{digest}")).status == 404


async def test_without_the_layer_an_upload_begins(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("target")
    answer = await client.send("POST", f"target/blobs/uploads/?mount={ABSENT}")
    assert answer.status == 202
    upload = answer.headers["Location"].removeprefix(f"{client.prefix}/")
    digest = "sha256:" + "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
    assert (await client.send("PUT", f"{upload}?digest={digest}", data=b"0")).status == 201


async def test_what_the_registry_forbids_is_not_mounted_from_anywhere(
    client: RegistryClient, ecr: Any, make_repository: MakeRepository
) -> None:
    await make_repository("source")
    await make_repository("target")
    digest = await client.push_blob("source", b"our layer")
    await asyncio.to_thread(ecr.put_account_setting, name="BLOB_MOUNTING", value="DISABLED")
    for origin in ("", "&from=source"):
        assert (await client.send("POST", f"target/blobs/uploads/?mount={digest}{origin}")).status == 202
    assert (await client.send("HEAD", f"target/blobs/{digest}")).status == 404


async def test_a_deleted_layer_is_not_mounted(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("source")
    await make_repository("target")
    digest = await client.push_blob("source", b"our layer")
    assert (await client.send("DELETE", f"source/blobs/{digest}")).status == 202
    for origin in ("", "&from=source"):
        assert (await client.send("POST", f"target/blobs/uploads/?mount={digest}{origin}")).status == 202
