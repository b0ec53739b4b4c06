"""A registry of a test's own: pushes, deletes and pulls through the heart, with real rows and real files."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text

from berth import collection, images, layers, repositories, uploads
from berth.collection import Collected, Windows
from berth.database.db import Database
from berth.errors import RepositoryNotFound
from berth.images import manifests, pulls
from berth.images.manifests import OCI_INDEX, OCI_MANIFEST, Manifest
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.schema import deleted_images, repository_layers
from berth.schema import layers as layers_table
from berth.store.contract import Blob, Store, Written

NOW = timedelta()
LONG = timedelta(days=1)
AT_ONCE = Windows(NOW, NOW)


def image_of(*contents: bytes, note: str = "") -> Manifest:
    """An image whose config is the first of `contents`, and whose layers are all the others."""
    config, *rest = [
        {"mediaType": "application/vnd.example", "digest": Digest.of(content), "size": len(content)}
        for content in contents
    ]
    return _manifest(OCI_MANIFEST, config=config, layers=rest, annotations={"note": note})


def index_of(*of: Manifest) -> Manifest:
    children = [{"mediaType": OCI_MANIFEST, "digest": one.digest, "size": len(one.content)} for one in of]
    return _manifest(OCI_INDEX, manifests=children)


def _manifest(media_type: str, **fields: object) -> Manifest:
    return manifests.parse(json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode())


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@dataclass
class Place:
    database: Database
    store: Store
    registry: Registry

    async def make(self, name: str, mutability: str = "MUTABLE") -> Repository:
        mode = Mutability.of(mutability)
        return await repositories.create(self.database, self.registry, RepositoryName(name), mutability=mode)

    async def repository(self, name: str) -> Repository:
        return await repositories.get(self.database, self.registry, name)

    async def push_blob(self, name: str, content: bytes) -> Digest:
        digest = Digest.of(content)
        await uploads.put(self.database, self.store, self.registry, name, digest, once(content))
        return digest

    async def store_alone(self, content: bytes) -> Digest:
        """Have the store hold it, and the database not know."""
        digest = Digest.of(content)
        blob = Blob(self.registry, digest)
        async with self.store.claim(uuid.uuid4()) as draft:
            written = await draft.append(Written(), once(content))
            await draft.prepare(written, blob)
            await draft.place(written, blob)
        return digest

    async def put(self, name: str, manifest: Manifest, *new_tags: str) -> None:
        await images.put(self.database, self.registry, name, manifest, [Tag(tag) for tag in new_tags])

    async def push(self, name: str, *contents: bytes, tags: Sequence[str] = (), note: str = "") -> Manifest:
        for content in contents:
            await self.push_blob(name, content)
        manifest = image_of(*contents, note=note)
        await self.put(name, manifest, *tags)
        return manifest

    async def delete(self, name: str, manifest: Manifest) -> None:
        deletion = await images.remove(self.database, await self.repository(name), manifest.digest)
        assert deletion
        assert deletion.removed

    async def collect(self, windows: Windows = AT_ONCE) -> Collected:
        return await collection.collect(self.database, self.store, windows)

    async def is_whole(self, name: str, manifest: Manifest, reference: str | None = None) -> bool:
        """Whether the image can be pulled, by digest or by a tag, byte for byte."""
        of = (
            Digest.parse(reference or manifest.digest)
            if ":" in (reference or manifest.digest)
            else Tag(reference or "")
        )
        try:
            stored = await pulls.find(self.database, self.registry, name, of)
        except RepositoryNotFound:
            return False
        if stored is None or stored.content != manifest.content:
            return False
        for blob in manifest.blobs:
            layer = await layers.find(self.database, self.registry, name, blob.digest)
            if layer is None or await self.content(blob.digest) is None:
                return False
        return True

    async def content(self, digest: str) -> bytes | None:
        """The bytes in the store, if they are there; they are right."""
        blob = Blob(self.registry, Digest(digest))
        if await self.store.size(blob) is None:
            return None
        content = b"".join([chunk async for chunk in self.store.read(blob)])
        assert Digest.of(content, digest.partition(":")[0]) == digest
        return content

    async def held(self, name: str) -> set[str]:
        """The digests of what the repository holds."""
        repository = await self.repository(name)
        return await self._all(
            select(repository_layers.c.digest).where(repository_layers.c.repository_id == repository.id)
        )

    async def known(self) -> set[str]:
        """The digests of the bytes that the registry has a row of."""
        return await self._all(select(layers_table.c.digest).where(layers_table.c.account == self.registry.account))

    async def deleted(self) -> set[str]:
        return await self._all(select(deleted_images.c.digest).where(deleted_images.c.account == self.registry.account))

    async def stored(self) -> set[str]:
        """The digests of the blobs that are in the store."""
        return {blob.digest async for blob in self.store.blobs() if blob.registry == self.registry}

    async def age(self, by: timedelta) -> None:
        """Let time pass over all that this registry has."""
        mine, by_ = "(SELECT id FROM repositories WHERE account = :account)", "CAST(:by AS interval)"
        async with self.database.transaction() as connection:
            for statement in (
                f"UPDATE layers SET unused_since = unused_since - {by_}, removing_since = removing_since - {by_}"
                " WHERE account = :account",
                f"UPDATE repository_layers SET unused_since = unused_since - {by_} WHERE repository_id IN {mine}",
                f"UPDATE deleted_images SET deleted_at = deleted_at - {by_}, pushed_at = pushed_at - {by_}"
                " WHERE account = :account",
                f"UPDATE images SET pushed_at = pushed_at - {by_} WHERE repository_id IN {mine}",
            ):
                await connection.execute(text(statement), {"by": by, "account": self.registry.account})

    async def _all(self, question: object) -> set[str]:
        async with self.database.reading() as connection:
            return {*await connection.scalars(question)}  # type: ignore[call-overload]
