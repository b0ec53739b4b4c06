"""Whoever archives and whoever pushes at the same time: an index that can be pulled is whole."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import insert

from berth import images, repositories
from berth.database.db import Database
from berth.errors import ImageStorageClassUpdateNotSupported, ReferencedImagesNotFound
from berth.images import descriptions, manifests, storage_classes
from berth.images.manifests import OCI_INDEX, OCI_MANIFEST, Manifest
from berth.images.storage_classes import ImageStatus, StorageClass
from berth.names import Digest, Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.schema import repository_layers

CONFIG = Digest.of(b"{}")


@pytest.fixture
async def repository(database: Database, registry: Registry) -> Repository:
    made = await repositories.create(database, registry, RepositoryName("race"), mutability=Mutability.of("MUTABLE"))
    async with database.transaction() as connection:
        layer = {"repository_id": made.id, "digest": CONFIG, "size": 2}
        await connection.execute(insert(repository_layers).values(layer))
    return made


def image(number: int) -> Manifest:
    config = {"mediaType": "application/vnd.example", "digest": CONFIG, "size": 2}
    return _manifest(OCI_MANIFEST, config=config, layers=[], annotations={"n": str(number)})


def index(of: Manifest) -> Manifest:
    return _manifest(OCI_INDEX, manifests=[{"mediaType": OCI_MANIFEST, "digest": of.digest, "size": len(of.content)}])


def _manifest(media_type: str, **fields: Any) -> Manifest:
    return manifests.parse(json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode())


async def test_an_image_is_not_archived_under_an_index_that_is_just_put(
    database: Database, registry: Registry, repository: Repository
) -> None:
    async def archived(digest: Digest) -> None:
        await storage_classes.change(database, registry, repository.name, digest, None, StorageClass.ARCHIVE)

    for number in range(20):
        child = image(number)
        await images.put(database, registry, repository.name, child)
        put = images.put(database, registry, repository.name, index(child))
        outcomes = await asyncio.gather(put, archived(child.digest), return_exceptions=True)
        (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert isinstance(refusal, (ReferencedImagesNotFound, ImageStorageClassUpdateNotSupported))
        await _whole(database, repository, index(child), child)


async def test_an_index_is_not_restored_over_an_image_that_is_just_archived(
    database: Database, registry: Registry, repository: Repository
) -> None:
    async def change(digest: Digest, target: StorageClass) -> None:
        await storage_classes.change(database, registry, repository.name, digest, None, target)

    for number in range(20):
        child, parent = image(number), index(image(number))
        await images.put(database, registry, repository.name, child)
        await images.put(database, registry, repository.name, parent)
        await change(parent.digest, StorageClass.ARCHIVE)
        outcomes = await asyncio.gather(
            change(parent.digest, StorageClass.STANDARD),
            change(child.digest, StorageClass.ARCHIVE),
            return_exceptions=True,
        )
        assert [type(one) for one in outcomes if one is not None] == [ImageStorageClassUpdateNotSupported]
        await _whole(database, repository, parent, child)


async def _whole(database: Database, repository: Repository, parent: Manifest, child: Manifest) -> None:
    """That the index is active only where its image is."""
    digests = [parent.digest, child.digest]
    found = await descriptions.named(database, repository.registry, repository.name, digests)
    if parent.digest in found and found[parent.digest].status is ImageStatus.ACTIVE:
        assert found[child.digest].status is ImageStatus.ACTIVE
