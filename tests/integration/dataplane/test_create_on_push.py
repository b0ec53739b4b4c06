"""Repositories that are created because someone pushes to them, as a template of the registry says."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from berth import repositories
from berth.database.db import Database
from berth.errors import RepositoryNotFound
from berth.names import Registry
from berth.repositories import Repository, encryption, named
from berth.repositories.mutability import Mutability
from berth.schema import repositories as table
from berth.templates import stored
from berth.templates.template import AppliedFor, Template
from tests.identities import document
from tests.integration.dataplane.conftest import OCI_INDEX, RegistryClient, sha256

PUSH = (AppliedFor.CREATE_ON_PUSH,)
POLICY = document({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})


async def found(database: Database, registry: Registry, name: str) -> Repository | None:
    try:
        return await repositories.get(database, registry, name)
    except RepositoryNotFound:
        return None


async def test_a_push_creates_the_repository_as_its_template_says(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    template = Template(
        "team",
        PUSH,
        mutability=Mutability.of("IMMUTABLE"),
        encryption={"encryptionType": "KMS"},
        tags={"owner": "team"},
        repository_policy=POLICY,
        lifecycle_policy="a lifecycle policy",
    )
    await stored.create(database, registry, Template("ROOT", PUSH))
    await stored.create(database, registry, template)
    digest, document = await client.push_image("team/new/app", "v1")
    answer = await client.send("GET", "team/new/app/manifests/v1")
    assert (answer.status, answer.body) == (200, json.dumps(document).encode())
    made = await found(database, registry, "team/new/app")
    assert made is not None
    assert made.mutability == template.mutability
    assert made.encryption == encryption.parse(registry, template.encryption)
    assert not made.scan_on_push
    async with database.reading() as connection:
        columns = select(table.c.tags, table.c.policy, table.c.lifecycle_policy).where(named(registry, "team/new/app"))
        row = (await connection.execute(columns)).one()
    assert tuple(row) == ({"owner": "team"}, POLICY, "a lifecycle policy")
    answer = await client.send("PUT", "team/new/app/manifests/v1", data=json.dumps(document).encode())
    assert (answer.status, answer.error["code"]) == (400, "TAG_INVALID")
    assert digest


async def test_what_the_template_says_later_changes_no_repository_that_is_there(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    await client.push_image("app", "v1")
    await stored.remove(database, registry, "ROOT")
    await client.push_image("app", "v1", b"again")


@pytest.mark.parametrize(
    "template",
    [
        None,
        Template("ROOT", (AppliedFor.PULL_THROUGH_CACHE, AppliedFor.REPLICATION)),
        Template("teams", PUSH),
        Template("team/app", PUSH),
    ],
)
async def test_without_a_template_for_it_there_is_no_repository(
    client: RegistryClient, database: Database, registry: Registry, template: Template | None
) -> None:
    if template:
        await stored.create(database, registry, template)
    for method, path in (("POST", "team/app/blobs/uploads/"), ("PUT", "team/app/manifests/v1")):
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
        answer = await client.send(method, path, data=manifest, headers={"Content-Type": OCI_INDEX})
        assert (answer.status, answer.error["code"]) == (404, "NAME_UNKNOWN")
        assert answer.error["message"] == (
            f"The repository with name 'team/app' does not exist in the registry with id '{registry.account}'"
        )
    assert await found(database, registry, "team/app") is None


async def test_only_a_push_creates_a_repository(client: RegistryClient, database: Database, registry: Registry) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    zeros = "sha256:" + "0" * 64
    upload = "app/blobs/uploads/00000000-0000-4000-8000-000000000000"
    for method, path in (
        ("GET", "app/manifests/v1"),
        ("HEAD", "app/manifests/v1"),
        ("DELETE", "app/manifests/v1"),
        ("GET", f"app/blobs/{zeros}"),
        ("HEAD", f"app/blobs/{zeros}"),
        ("GET", "app/tags/list"),
        ("GET", f"app/referrers/{zeros}"),
        ("GET", upload),
        ("PATCH", upload),
        ("PUT", f"{upload}?digest={zeros}"),
        ("DELETE", upload),
    ):
        assert (await client.send(method, path)).status == 404, (method, path)
    assert await found(database, registry, "app") is None


async def test_a_layer_is_mounted_into_the_repository_that_the_mount_creates(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    digest = await client.push_blob("old", b"a layer")
    source = f"{registry.account}/{registry.region}/old"
    answer = await client.send("POST", f"new/blobs/uploads/?mount={digest}&from={source}")
    assert answer.status == 201
    assert (await client.send("HEAD", f"new/blobs/{digest}")).status == 200


async def test_a_manifest_alone_creates_its_repository(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    empty: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    await client.push_manifest("indexes", "v1", empty, OCI_INDEX)
    assert (await client.send("HEAD", "indexes/manifests/v1")).status == 200


async def test_of_pushes_at_once_one_creates_the_repository_and_all_go_on(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    contents = [b"layer %d" % number for number in range(16)]
    digests = await asyncio.gather(*(client.push_blob("team/app", content) for content in contents))
    assert digests == [sha256(content) for content in contents]


async def test_a_name_that_path_style_would_take_for_a_registry_is_not_created(
    client: RegistryClient, database: Database, registry: Registry
) -> None:
    await stored.create(database, registry, Template("ROOT", PUSH))
    answer = await client.send("POST", "111122223333/eu-west-1/app/blobs/uploads/")
    assert answer.status == 400
    assert "must not begin with an account id and a region" in answer.error["message"]


async def test_nobody_creates_a_repository_in_a_registry_of_another_account(
    client: RegistryClient, database: Database
) -> None:
    other = Registry("999999999999", "eu-west-1")
    await stored.create(database, other, Template("ROOT", PUSH))
    answer = await client.send("POST", f"/v2/{other.account}/{other.region}/app/blobs/uploads/")
    assert (answer.status, answer.error["code"]) == (403, "DENIED")
    assert await found(database, other, "app") is None
