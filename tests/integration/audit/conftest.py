"""Both planes, with what they count; and an account whose users ask them."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

import controlplane.app
import dataplane.app
import listener
from berth import repositories
from berth.audit import AuditLog, keeping
from berth.cli.main import main
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.principals import Principal
from berth.names import Registry, RepositoryName
from berth.repositories.mutability import Mutability
from berth.sealing import Seal
from berth.settings import Settings
from tests.identities import Identities
from tests.integration.controlplane.conftest import Api, api_of
from tests.integration.dataplane.conftest import Answer, RegistryClient

NAME = "team/app"
MANIFEST = f"{NAME}/manifests/v1"
PULL = "ecr:BatchGetImage"


@dataclass
class Planes:
    """A control plane and a data plane in this process."""

    registry_url: str
    api_url: str
    audits: list[AuditLog]


@pytest.fixture(scope="session")
async def planes(settings: Settings) -> AsyncIterator[Planes]:
    made: list[web.Application] = []

    def making(module: Any) -> Any:
        def make_app(settings: Settings) -> web.Application:
            made.append(module.make_app(settings))
            return made[-1]

        return make_app

    async with (
        listener.listening(making(dataplane.app), settings, "localhost:0") as registry,
        listener.listening(making(controlplane.app), settings, "localhost:0") as api,
    ):
        audits = [made[0][dataplane.app.PLANE].opened.audit, made[1][controlplane.app.PLANE]._opened.audit]
        yield Planes(f"http://{registry}", f"http://{api}", audits)


@dataclass
class Place:
    """An account with an image in a repository, and whoever asks for it."""

    planes: Planes
    settings: Settings
    database: Database
    seal: Seal
    registry: Registry
    root_key: AccessKey
    folder: Path
    session: aiohttp.ClientSession
    identities: Identities = field(init=False)

    def __post_init__(self) -> None:
        self.identities = Identities(self.database, self.seal, self.registry.account)

    @property
    def account(self) -> str:
        return self.registry.account

    @property
    def arn(self) -> str:
        return self.registry.arn(NAME)

    async def client(self, principal: Principal) -> RegistryClient:
        password = (await load_keyring(self.database, self.seal)).close_password(principal)[0]
        headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
        base = self.planes.registry_url
        return _Client(self.session, base, f"/v2/{self.registry.account}/{self.registry.region}", headers)

    async def pull(self, principal: Principal, times: int = 1, **headers: str) -> int:
        """Get the manifest; the status of the last answer."""
        client, status = await self.client(principal), 0
        for _ in range(times):
            status = (await client.send("GET", MANIFEST, headers=headers)).status
        return status

    @contextlib.contextmanager
    def api(self, service: str, key: AccessKey) -> Iterator[Api]:
        with api_of(service, self.planes.api_url, key, self.registry.region) as api:
            yield api

    async def keep(self) -> None:
        """Keep what was counted so far, as the planes do every few seconds."""
        for audit in self.planes.audits:
            await keeping.keep(audit, self.database)

    def file(self, text: str) -> str:
        path = self.folder / "policy.json"
        path.write_text(text)
        return str(path)

    async def run(self, *words: str) -> tuple[int, str]:
        """`berth iam what-if`: the exit code, and what is printed."""
        await self.keep()
        assert self.settings.database_url
        url = self.settings.database_url.get_secret_value()
        given = ["iam", "what-if", "--database-url", url, "--data", str(self.settings.data), *words]
        result = await asyncio.to_thread(CliRunner().invoke, main, given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result.exit_code, result.output

    async def what_if(self, *words: str) -> dict[str, Any]:
        """The answer, for requests by principals of the account."""
        code, output = await self.run("--account", self.account, "--json", *words)
        answer: dict[str, Any] = json.loads(output)
        assert code == (3 if answer["refused"] or answer["allowed"] else 0)
        return answer

    async def rows(self) -> list[dict[str, Any]]:
        """What is kept of the account's requests."""
        await self.keep()
        async with self.database.reading() as connection:
            found = await connection.exec_driver_sql(
                "SELECT r.*, p.arn, p.claims FROM audited_requests r JOIN audited_principals p ON p.id = principal_id"
                " WHERE r.account = $1 ORDER BY action, p.arn",
                (self.account,),
            )
            return [dict(row._mapping) for row in found]


@dataclass
class _Client(RegistryClient):
    """With a password of its own."""

    headers: dict[str, str]

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        return await super().send(method, path, **{**more, "headers": {**self.headers, **more.get("headers", {})}})


@pytest.fixture
async def place(
    planes: Planes,
    settings: Settings,
    database: Database,
    seal: Seal,
    registry: Registry,
    root_key: AccessKey,
    tmp_path: Path,
) -> AsyncIterator[Place]:
    await repositories.create(database, registry, RepositoryName.parse(NAME), mutability=Mutability.of("MUTABLE", []))
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        place = Place(planes, settings, database, seal, registry, root_key, tmp_path, session)
        await (await place.client(root_key.principal)).push_image(NAME, "v1")
        yield place


def told(differences: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """How many requests of whom for which action."""
    found: Counter[tuple[str, str]] = Counter()
    for each in differences:
        found[each["principal"].rpartition("/")[2], each["action"]] += each["requests"]
    return dict(found)
