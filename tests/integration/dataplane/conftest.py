"""A client of the registry that knows nothing of Berth but its address and a password."""

import hashlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from berth import repositories
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.names import Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.sealing import Seal

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        (only,) = json.loads(self.body)["errors"]
        return dict(only)


@dataclass
class RegistryClient:
    """Sends requests as the root of the test's account; paths are relative to its registry, in path style."""

    session: aiohttp.ClientSession
    base: str
    prefix: str

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        if isinstance(more.get("data"), bytes):
            more["data"] = io.BytesIO(more["data"])
        url = path if path.startswith("/") else f"{self.prefix}/{path}"
        unasked = {"Content-Type"}
        async with self.session.request(method, self.base + url, skip_auto_headers=unasked, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    async def push_blob(self, name: str, content: bytes) -> str:
        digest = sha256(content)
        answer = await self.send("POST", f"{name}/blobs/uploads/?digest={digest}", data=content)
        assert answer.status == 201, answer
        return digest

    async def push_manifest(
        self, name: str, reference: str | None, document: dict[str, Any] | bytes, media_type: str = OCI_MANIFEST
    ) -> str:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        path = f"{name}/manifests/{reference or sha256(content)}"
        answer = await self.send("PUT", path, data=content, headers={"Content-Type": media_type})
        assert answer.status == 201, answer
        return str(answer.headers["Docker-Content-Digest"])

    async def push_image(
        self, name: str, reference: str | None, seed: bytes = b"", **fields: Any
    ) -> tuple[str, dict[str, Any]]:
        config, layer = b"{}", b"layer" + seed
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": await self.push_blob(name, config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": await self.push_blob(name, layer),
                    "size": len(layer),
                }
            ],
            **fields,
        }
        return await self.push_manifest(name, reference, document), document


@pytest.fixture
async def password(database: Database, seal: Seal, root_key: AccessKey) -> str:
    return (await load_keyring(database, seal)).close_password(root_key.principal)[0]


@pytest.fixture
async def client(registry_url: str, registry: Registry, password: str) -> AsyncIterator[RegistryClient]:
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        yield RegistryClient(session, registry_url, f"/v2/{registry.account}/{registry.region}")


@pytest.fixture
def make_repository(database: Database, registry: Registry) -> Callable[..., Awaitable[Repository]]:
    async def make(name: str, mode: str = "MUTABLE", filters: list[str] | None = None) -> Repository:
        excluded = [{"filterType": "WILDCARD", "filter": text} for text in filters or []]
        return await repositories.create(
            database, registry, RepositoryName.parse(name), mutability=Mutability.of(mode, excluded)
        )

    return make
