"""Addresses that GetDownloadUrlForLayer gives: good for whoever may have the layer, for as long as it is there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest

from berth import repositories
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.directory import accounts
from berth.identity.principals import Principal
from berth.layers import downloads
from berth.layers.downloads import Download
from berth.names import Digest
from berth.repositories import documents
from berth.sealing import Seal
from tests.identities import Identities, allowing, document
from tests.integration.dataplane.conftest import RegistryClient
from tests.integration.dataplane.test_policies import stranger
from tests.integration.dataplane.test_replicas import is_apart, remembered, replica, replica_url, within_a_second
from tests.integration.dataplane.test_revocations import (
    NAME,
    Scene,
    Take,
    closed_account,
    deleted_role,
    deleted_user,
    inline,
    scene,
    with_an_inactive_key,
    without_a_key,
)

__all__ = ["is_apart", "replica", "replica_url", "scene", "stranger"]


@dataclass(frozen=True)
class Addresses:
    """Of the image's layer, at the other replica, for a client that has no password."""

    client: RegistryClient
    scene: Scene
    seal: Seal
    layer: Digest

    async def of(self, principal: Principal) -> str:
        download = Download(principal, self.scene.registry, self.scene.repository.name, self.layer)
        return downloads.close(await load_keyring(self.scene.database, self.seal), download)


@pytest.fixture
async def addresses(
    scene: Scene, client: RegistryClient, replica: RegistryClient, seal: Seal
) -> AsyncIterator[Addresses]:
    _, manifest = await client.push_image(NAME, "v1")
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        anybody = RegistryClient(session, replica.base, "")
        yield Addresses(anybody, scene, seal, Digest(manifest["layers"][0]["digest"]))


@pytest.mark.parametrize(
    "what", [inline, without_a_key, with_an_inactive_key, deleted_user, deleted_role, closed_account]
)
async def test_who_may_not_have_the_layer_any_more_has_no_use_of_its_address(
    addresses: Addresses, what: Callable[[Scene], Awaitable[tuple[Principal, Take]]]
) -> None:
    principal, take = await what(addresses.scene)
    path = await addresses.of(principal)
    await remembered(addresses.client, path)
    assert (await addresses.client.send("GET", path)).body == b"layer"
    await take()
    await within_a_second(addresses.client, path, status=403)


async def test_an_address_ends_with_its_repository(addresses: Addresses, root_key: AccessKey) -> None:
    path = await addresses.of(root_key.principal)
    await remembered(addresses.client, path)
    await repositories.remove(addresses.scene.database, addresses.scene.registry, NAME, force=True)
    await within_a_second(addresses.client, path, status=404)


async def test_an_address_that_another_account_got_ends_with_the_account_of_the_repository(
    addresses: Addresses, stranger: Identities
) -> None:
    key = await stranger.user("bob", allowing("ecr:GetDownloadUrlForLayer"))
    grant = {"Effect": "Allow", "Principal": {"AWS": key.principal.arn}, "Action": "ecr:GetDownloadUrlForLayer"}
    scene = addresses.scene
    await documents.set_policy(scene.database, scene.registry, NAME, document(grant))
    path = await addresses.of(key.principal)
    await remembered(addresses.client, path)
    await accounts.close(scene.database, scene.account)
    await within_a_second(addresses.client, path, status=403)
