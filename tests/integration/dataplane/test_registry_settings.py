"""What the settings of a registry change on the data plane: pulls that do not count, and mounts."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from sqlalchemy import select

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.principals import Principal
from berth.names import Registry
from berth.registries import account_settings, pull_time_exclusions
from berth.repositories import Repository
from berth.schema import images
from berth.sealing import Seal
from tests.identities import EVERYTHING, Identities
from tests.integration.dataplane.conftest import RegistryClient

Make = Callable[..., Awaitable[Repository]]


@pytest.fixture
async def session(registry: Registry, root_key: AccessKey, database: Database, seal: Seal) -> Principal:
    """The session of a role of the test's account, which may do everything."""
    return await Identities(database, seal, root_key.principal.account).role_session("trivy", EVERYTHING, name="scan")


@pytest.fixture
async def scanner(
    registry_url: str,
    registry: Registry,
    database: Database,
    seal: Seal,
    session: Principal,
) -> AsyncIterator[RegistryClient]:
    """A client with the password of that session."""
    password = (await load_keyring(database, seal)).close_password(session)[0]
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as http:
        yield RegistryClient(http, registry_url, f"/v2/{registry.account}/{registry.region}")


async def is_pulled(database: Database, repository: Repository) -> bool:
    question = select(images.c.last_pulled_at).where(images.c.repository_id == repository.id)
    async with database.reading() as connection:
        return await connection.scalar(question) is not None


async def test_the_pulls_of_an_excluded_principal_do_not_count(
    client: RegistryClient, scanner: RegistryClient, make_repository: Make, database: Database, registry: Registry
) -> None:
    repository = await make_repository("team/app")
    await client.push_image("team/app", "v1")
    role = f"arn:aws:iam::{registry.account}:role/scanners/trivy"
    await pull_time_exclusions.register(database, registry, role)
    assert (await scanner.send("GET", "team/app/manifests/v1")).status == 200
    assert not await is_pulled(database, repository)
    await pull_time_exclusions.deregister(database, registry, role)
    assert (await scanner.send("GET", "team/app/manifests/v1")).status == 200
    assert await is_pulled(database, repository)


async def test_the_pulls_of_others_count_and_so_they_do_in_other_registries(
    client: RegistryClient, scanner: RegistryClient, make_repository: Make, database: Database, registry: Registry
) -> None:
    role = f"arn:aws:iam::{registry.account}:role/trivy"
    await pull_time_exclusions.register(database, Registry(registry.account, "eu-west-1"), role)
    await pull_time_exclusions.register(database, registry, role.replace("trivy", "other"))
    for name, puller in (("team/a", scanner), ("team/b", client)):
        repository = await make_repository(name)
        await client.push_image(name, "v1")
        assert (await puller.send("GET", f"{name}/manifests/v1")).status == 200
        assert await is_pulled(database, repository)


async def test_a_layer_is_mounted_unless_the_account_settings_forbid_it(
    client: RegistryClient, make_repository: Make, database: Database, registry: Registry
) -> None:
    for name in ("team/source", "team/target"):
        await make_repository(name)
    digest = await client.push_blob("team/source", b"a layer")
    mount = f"team/target/blobs/uploads/?mount={digest}&from={client.prefix.removeprefix('/v2/')}/team/source"
    await account_settings.put(database, registry, "BLOB_MOUNTING", "DISABLED")
    assert (await client.send("POST", mount)).status == 202
    assert (await client.send("HEAD", f"team/target/blobs/{digest}")).status == 404
    await account_settings.put(database, registry, "BLOB_MOUNTING", "ENABLED")
    assert (await client.send("POST", mount)).status == 201
    assert (await client.send("HEAD", f"team/target/blobs/{digest}")).status == 200
