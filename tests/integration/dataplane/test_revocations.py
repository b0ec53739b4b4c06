"""What is taken from somebody, nobody gets on any replica a second later, however much is remembered there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest
from sqlalchemy import delete

from berth import changes, registries, repositories, schema
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.directory import (
    accounts,
    attachments,
    boundaries,
    customer_policies,
    groups,
    inline_policies,
    keys,
    policy_versions,
)
from berth.identity.directory import identities as directory
from berth.identity.principals import Principal
from berth.names import Registry
from berth.registries import account_settings
from berth.repositories import Repository, documents, tagging
from berth.sealing import Seal
from tests.identities import EVERYTHING, Identities, allowing, denying, document
from tests.integration.dataplane.conftest import RegistryClient
from tests.integration.dataplane.test_replicas import is_apart, remembered, replica, replica_url, within_a_second

__all__ = ["is_apart", "replica", "replica_url"]

Make = Callable[..., Awaitable[Repository]]
NAME = "team/app"
MANIFEST = f"{NAME}/manifests/v1"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")


@dataclass(frozen=True)
class Scene:
    database: Database
    identities: Identities
    registry: Registry
    repository: Repository

    @property
    def account(self) -> str:
        return self.registry.account

    async def managed(self, *statements: dict[str, object]) -> str:
        """The ARN of a new managed policy."""
        made = await customer_policies.create(
            self.database, self.account, "/", "managed", document(*statements), tags={}
        )
        return f"arn:aws:iam::{made.account}:policy/{made.name}"

    async def delete(self, kind: directory.Kind, name: str) -> None:
        """With all that belongs to it."""
        async with self.database.transaction() as connection:
            identity = await directory.locked(connection, self.account, kind, name)
            await connection.execute(delete(schema.identities).where(schema.identities.c.id == identity.id))
            await changes.tell_of(connection, changes.of_identity(identity.id))


@pytest.fixture
async def scene(
    database: Database,
    seal: Seal,
    registry: Registry,
    root_key: AccessKey,
    client: RegistryClient,
    make_repository: Make,
) -> Scene:
    repository = await make_repository(NAME)
    await client.push_image(NAME, "v1")
    return Scene(database, Identities(database, seal, root_key.principal.account), registry, repository)


Take = Callable[[], Awaitable[None]]


@pytest.fixture
async def puller(
    scene: Scene, replica: RegistryClient, seal: Seal
) -> AsyncIterator[Callable[[Principal], RegistryClient]]:
    """The client of the other replica, with a password of the principal's."""
    keyring = await load_keyring(scene.database, seal)
    sessions: list[aiohttp.ClientSession] = []

    def puller(principal: Principal) -> RegistryClient:
        headers = {"Authorization": aiohttp.encode_basic_auth("AWS", keyring.close_password(principal)[0])}
        sessions.append(aiohttp.ClientSession(headers=headers, auto_decompress=False))
        return RegistryClient(sessions[-1], replica.base, replica.prefix)

    yield puller
    for session in sessions:
        await session.close()


async def inline(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    return key.principal, lambda: inline_policies.remove(scene.database, scene.account, "user", "alice", "inline")


async def denied(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    return key.principal, lambda: scene.identities.let("user", "alice", allowing(*PULL), denying("ecr:*"))


async def detached(scene: Scene) -> tuple[Principal, Take]:
    key, arn = await scene.identities.user("alice"), await scene.managed(allowing(*PULL))
    await attachments.attach(scene.database, scene.account, "user", "alice", arn)
    return key.principal, lambda: attachments.detach(scene.database, scene.account, "user", "alice", arn)


async def another_version(scene: Scene) -> tuple[Principal, Take]:
    key, arn = await scene.identities.user("alice"), await scene.managed(allowing(*PULL))
    await attachments.attach(scene.database, scene.account, "user", "alice", arn)

    async def take() -> None:
        await policy_versions.create(
            scene.database, scene.account, arn, document(allowing("ecr:ListImages")), as_default=True
        )

    return key.principal, take


async def out_of_the_group(scene: Scene) -> tuple[Principal, Take]:
    key = await _in_a_group(scene)
    return key.principal, lambda: groups.remove(scene.database, scene.account, "pullers", "alice")


async def taken_from_the_group(scene: Scene) -> tuple[Principal, Take]:
    key = await _in_a_group(scene)
    return key.principal, lambda: inline_policies.remove(scene.database, scene.account, "group", "pullers", "inline")


async def _in_a_group(scene: Scene) -> AccessKey:
    key = await scene.identities.user("alice")
    await groups.create(scene.database, scene.account, "/", "pullers")
    await scene.identities.let("group", "pullers", allowing(*PULL))
    await groups.add(scene.database, scene.account, "pullers", "alice")
    return key


async def bounded(scene: Scene) -> tuple[Principal, Take]:
    key, arn = await scene.identities.user("alice", allowing(*PULL)), await scene.managed(allowing("ecr:PutImage"))
    return key.principal, lambda: boundaries.put(scene.database, scene.account, "user", "alice", arn)


async def limited_with_the_account(scene: Scene) -> tuple[Principal, Take]:
    root = scene.identities
    key = await root.user("alice", allowing(*PULL))
    return key.principal, lambda: root.control(EVERYTHING, denying("ecr:BatchGetImage"))


async def without_a_key(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    owner = keys.Owner(scene.account, await directory.get(scene.database, scene.account, "user", "alice"))
    return key.principal, lambda: keys.remove(scene.database, owner, key.id)


async def with_an_inactive_key(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    owner = keys.Owner(scene.account, await directory.get(scene.database, scene.account, "user", "alice"))
    return key.principal, lambda: keys.set_status(scene.database, owner, key.id, "Inactive")


async def deleted_user(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    return key.principal, lambda: scene.delete("user", "alice")


async def deleted_role(scene: Scene) -> tuple[Principal, Take]:
    session = await scene.identities.role_session("puller", allowing(*PULL))
    return session, lambda: scene.delete("role", "puller")


async def session_of_a_changed_role(scene: Scene) -> tuple[Principal, Take]:
    session = await scene.identities.role_session("puller", allowing(*PULL))
    return session, lambda: inline_policies.remove(scene.database, scene.account, "role", "puller", "inline")


async def closed_account(scene: Scene) -> tuple[Principal, Take]:
    session = await scene.identities.role_session("puller", allowing(*PULL))
    return session, lambda: accounts.close(scene.database, scene.account)


async def repository_policy(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    text = document({"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"})
    return key.principal, lambda: documents.set_policy(scene.database, scene.registry, NAME, text)


async def without_the_repository_policy(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice")
    text = document({"Effect": "Allow", "Principal": {"AWS": key.principal.arn}, "Action": "ecr:BatchGetImage"})
    await documents.set_policy(scene.database, scene.registry, NAME, text)

    async def take() -> None:
        await documents.remove_policy(scene.database, scene.registry, NAME)

    return key.principal, take


async def registry_policy(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    text = document({"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage", "Resource": "*"})
    return key.principal, lambda: registries.set_policy(scene.database, scene.registry, text)


async def scope_of_the_registry_policy(scene: Scene) -> tuple[Principal, Take]:
    key = await scene.identities.user("alice", allowing(*PULL))
    text = document({"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage", "Resource": "*"})
    scope = account_settings.REGISTRY_POLICY_SCOPE
    await account_settings.put(scene.database, scene.registry, scope, "V1")
    await registries.set_policy(scene.database, scene.registry, text)
    return key.principal, lambda: account_settings.put(scene.database, scene.registry, scope, "V2")


async def another_tag(scene: Scene) -> tuple[Principal, Take]:
    tagged = {"Condition": {"StringEquals": {"ecr:ResourceTag/team": "a"}}}
    key = await scene.identities.user("alice", allowing(*PULL, **tagged))
    await tagging.add(scene.database, scene.registry, NAME, {"team": "a"})
    return key.principal, lambda: tagging.add(scene.database, scene.registry, NAME, {"team": "b"})


async def without_the_tag(scene: Scene) -> tuple[Principal, Take]:
    tagged = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
    key = await scene.identities.user("alice", allowing(*PULL, **tagged))
    await tagging.add(scene.database, scene.registry, NAME, {"team": "a"})
    return key.principal, lambda: tagging.remove(scene.database, scene.registry, NAME, ["team"])


async def another_tag_of_the_user(scene: Scene) -> tuple[Principal, Take]:
    tagged = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}
    key = await scene.identities.user("alice", allowing(*PULL, **tagged), tags={"team": "a"})
    return key.principal, lambda: directory.remove_tags(scene.database, scene.account, "user", "alice", ["team"])


@pytest.mark.parametrize(
    "what",
    [
        inline, denied, detached, another_version, out_of_the_group, taken_from_the_group, bounded,
        limited_with_the_account, without_a_key, with_an_inactive_key, deleted_user, deleted_role,
        session_of_a_changed_role, closed_account, repository_policy, without_the_repository_policy, registry_policy,
        scope_of_the_registry_policy, another_tag, without_the_tag, another_tag_of_the_user,
    ],
)  # fmt: skip
async def test_what_is_taken_away_is_gone_on_every_replica(
    scene: Scene,
    puller: Callable[[Principal], RegistryClient],
    what: Callable[[Scene], Awaitable[tuple[Principal, Take]]],
) -> None:
    principal, take = await what(scene)
    there = puller(principal)
    await remembered(there, MANIFEST)
    await take()
    await within_a_second(there, MANIFEST, status=403)


async def test_a_new_repository_has_nothing_of_the_policy_of_the_one_that_had_its_name(
    scene: Scene, puller: Callable[[Principal], RegistryClient], client: RegistryClient, make_repository: Make
) -> None:
    principal, _ = await without_the_repository_policy(scene)
    there = puller(principal)
    await remembered(there, MANIFEST)
    await repositories.remove(scene.database, scene.registry, NAME, force=True)
    await within_a_second(there, MANIFEST, status=403)
    await make_repository(NAME)
    await client.push_image(NAME, "v1")
    assert (await there.send("GET", MANIFEST)).status == 403


async def test_a_user_goes_by_the_name_that_is_theirs_now(
    scene: Scene, puller: Callable[[Principal], RegistryClient]
) -> None:
    principal, _ = await without_the_repository_policy(scene)
    there = puller(principal)
    await remembered(there, MANIFEST)
    async with scene.database.transaction() as connection:
        alice = await directory.locked(connection, scene.account, "user", "alice")
        await directory.rename(connection, alice, None, "alicia")
    await within_a_second(there, MANIFEST, status=403)
    assert "user/alicia is not authorized" in (await there.send("GET", MANIFEST)).error["message"]
