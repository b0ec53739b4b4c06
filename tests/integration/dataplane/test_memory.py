"""What a data plane remembers: no statement for what it knows, the same answers, and nothing that it must not."""

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

import dataplane.app
import listener
from berth import schema
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.permits import Permits
from berth.images import pulls
from berth.names import Registry
from berth.networks.proxies import parse_networks
from berth.registries import pull_time_exclusions
from berth.repositories import Repository
from berth.sealing import Seal
from berth.settings import Settings
from dataplane.at_once import AtOnce
from tests.hearing import nothing_is_underway, patient, until_it_hears
from tests.identities import EVERYTHING, Identities
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient

Make = Callable[..., Awaitable[Repository]]
NAME = "team/app"


@dataclass
class CountedPlane:
    """A data plane on a real socket, every statement that it sends, and how many answers it gave at once."""

    url: str
    statements: list[str] = field(default_factory=list)
    at_once: int = 0

    def note(self, statement: str) -> None:
        """Of those that are sent while a request is served: what was asked is kept beside them, every few seconds."""
        if "audited_" not in statement:
            self.statements.append(statement)

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements that are sent while the context lasts."""
        before, counted = len(self.statements), list[str]()
        yield counted
        counted += self.statements[before:]


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[CountedPlane]:
    made: list[web.Application] = []

    def make_app(settings: Settings) -> web.Application:
        made.append(dataplane.app.make_app(settings))
        return made[0]

    plane = CountedPlane("")
    with pytest.MonkeyPatch.context() as patch, patient():
        answer = AtOnce.answer

        def counted(self: AtOnce, *asked: Any) -> listener.Prompt | None:
            given = answer(self, *asked)
            plane.at_once += given is not None
            return given

        patch.setattr(AtOnce, "answer", counted)
        async with listener.listening(make_app, settings, "localhost:0") as address:
            plane.url = f"http://{address}"
            made[0][listener.DATABASE].count_statements(plane.note)
            await until_it_hears(made[0][dataplane.app.PLANE].opened.ear)
            yield plane


@pytest.fixture(scope="module")
async def plane(settings: Settings) -> AsyncIterator[CountedPlane]:
    async with serving(settings) as plane:
        yield plane


@pytest.fixture
async def known(client: RegistryClient, plane: CountedPlane, postgres_url: str) -> RegistryClient:
    """The same client, of that plane."""
    await nothing_is_underway(postgres_url)
    return replace(client, base=plane.url)


async def test_what_is_known_is_answered_without_a_statement_and_as_before(
    client: RegistryClient, known: RegistryClient, plane: CountedPlane, make_repository: Make, postgres_url: str
) -> None:
    await make_repository(NAME)
    digest, document = await client.push_image(NAME, "v1")
    small = document["layers"][0]["digest"]
    await known.send("GET", f"{NAME}/manifests/v1")
    for kind in ("a/b", "a/b", "other"):
        seed, fields = os.urandom(4), {"subject": {"digest": digest, "size": 1, "mediaType": OCI_MANIFEST}}
        await client.push_image(NAME, None, seed, artifactType=kind, **fields)
    await nothing_is_underway(postgres_url)
    for method, path in (
        ("GET", f"{NAME}/manifests/v1"),
        ("HEAD", f"{NAME}/manifests/v1"),
        ("GET", f"{NAME}/manifests/{digest}"),
        ("HEAD", f"{NAME}/manifests/{digest}"),
        ("GET", f"{NAME}/blobs/{small}"),
        ("HEAD", f"{NAME}/blobs/{small}"),
        ("GET", f"{NAME}/referrers/{digest}"),
        ("GET", f"{NAME}/referrers/{digest}?artifactType=a%2Fb&n=1"),
    ):
        first = await known.send(method, path)
        before = plane.at_once
        with plane.counting() as statements:
            again = await known.send(method, path)
        assert statements == []
        assert plane.at_once == before + 1
        # `Connection: close`: aiohttp's way, from the same memory.
        slowly = await known.send(method, path, headers={"Connection": "close"})
        assert plane.at_once == before + 1
        for other in (first, slowly):
            assert (again.status, again.body) == (other.status, other.body)
            unlike = {"Date", "Connection"}
            names = (again.headers.keys() | other.headers.keys()) - unlike
            assert {name: again.headers[name] for name in names} == {name: other.headers[name] for name in names}


async def test_a_first_pull_sends_so_many_statements(
    client: RegistryClient, known: RegistryClient, plane: CountedPlane, make_repository: Make
) -> None:
    await make_repository(NAME)
    _, document = await client.push_image(NAME, "v1")
    for path, number in (
        # What the principal may do, what is written on the repository, the manifest, the time of the pull.
        (f"{NAME}/manifests/v1", 4),
        (f"{NAME}/blobs/{document['layers'][0]['digest']}", 1),
        (f"{NAME}/manifests/none", 1),
        (f"{NAME}/manifests/none", 1),
    ):
        with plane.counting() as statements:
            await known.send("GET", path)
        assert len(statements) == number, "\n".join(statements)


async def test_behind_a_trusted_proxy_the_host_counts_that_the_client_asked(
    client: RegistryClient, settings: Settings, make_repository: Make, registry: Registry
) -> None:
    await make_repository(NAME)
    digest, _ = await client.push_image(NAME, "v1")
    aliases = {"front.example": f"{registry.account}/{registry.region}"}
    behind = {"trusted_proxies": parse_networks("127.0.0.0/8, ::1"), "registry_aliases": aliases}
    forwarded = {"X-Forwarded-Host": "front.example", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    async with serving(settings.model_copy(update=behind)) as plane:
        known = replace(client, base=plane.url, prefix="/v2")
        for number in range(3):
            answer = await known.send("GET", f"{NAME}/manifests/v1", headers=forwarded)
            assert (answer.status, answer.headers["Docker-Content-Digest"]) == (200, digest)
            assert plane.at_once == number
        elsewhere = await known.send("GET", f"{NAME}/manifests/v1", headers=forwarded | {"X-Forwarded-Host": "other"})
        assert elsewhere.status == 403, "the default registry is another account's"
        assert (await known.send("GET", f"{NAME}/manifests/v1")).status == 403


async def test_the_next_page_of_referrers_is_where_the_client_asked_for_this_one(
    client: RegistryClient, settings: Settings, make_repository: Make, registry: Registry
) -> None:
    """By its host or by its path, a repository is one; what is remembered of it leads on by the same way."""
    await make_repository(NAME)
    digest, _ = await client.push_image(NAME, "v1")
    for seed in (b"a", b"b"):
        fields = {"subject": {"digest": digest, "size": 1, "mediaType": OCI_MANIFEST}}
        await client.push_image(NAME, None, seed, artifactType="a/b", **fields)
    aliases = {"front.example": f"{registry.account}/{registry.region}"}
    async with serving(settings.model_copy(update={"registry_aliases": aliases})) as plane:
        by_path = replace(client, base=plane.url), {}
        by_host = replace(client, base=plane.url, prefix="/v2"), {"Host": "front.example"}
        for known, headers in (by_path, by_host, by_path, by_host):
            page = await known.send("GET", f"{NAME}/referrers/{digest}?n=1", headers=headers)
            assert page.headers["Link"].startswith(f"<{known.prefix}/{NAME}/referrers/{digest}?")
        assert plane.at_once == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Basic QVdTOm5vbnNlbnNl"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Range": "bytes=0-1"}, 206),
        ({"Range": "bytes=1000-"}, 416),
        ({"If-Match": '"sha256:other"'}, 412),
    ],
)
async def test_what_is_asked_otherwise_is_answered_otherwise(
    client: RegistryClient,
    known: RegistryClient,
    make_repository: Make,
    headers: dict[str, str],
    status: int,
) -> None:
    await make_repository(NAME)
    _, document = await client.push_image(NAME, "v1")
    path = f"{NAME}/blobs/{document['layers'][0]['digest']}"
    whole = await known.send("GET", path)
    assert (await known.send("GET", path)).body == whole.body
    answer = await known.send("GET", path, headers=headers)
    assert answer.status == status
    if status == 206:
        assert answer.body == whole.body[:2]
        assert answer.headers["Content-Range"] == f"bytes 0-1/{len(whole.body)}"


async def test_what_one_may_not_read_is_not_handed_out_because_another_one_read_it(
    client: RegistryClient, known: RegistryClient, make_repository: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_repository(NAME)
    await client.push_image(NAME, "v1")
    assert (await known.send("GET", f"{NAME}/manifests/v1")).status == 200
    elsewhere = known.prefix.replace(known.prefix.split("/")[2], "999999999999")
    assert (await replace(known, prefix=elsewhere).send("GET", f"{NAME}/manifests/v1")).status == 403
    asked = []
    recall = Permits.recall
    monkeypatch.setattr(Permits, "recall", lambda *given: (asked.append(given[1]), recall(*given))[1])
    assert (await known.send("GET", f"{NAME}/manifests/v1")).status == 200
    assert asked == ["ecr:BatchGetImage"], "every request is authorized, those that are answered from memory too"


async def test_a_pull_is_noted_when_the_last_note_is_old(
    client: RegistryClient,
    known: RegistryClient,
    plane: CountedPlane,
    make_repository: Make,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository = await make_repository(NAME)
    await client.push_image(NAME, "v1")
    monkeypatch.setattr(pulls, "PULL_TIME_GRAIN", timedelta(0))
    noted = []
    for _ in range(3):
        await known.send("GET", f"{NAME}/manifests/v1")
        noted.append(await pulled_at(database, repository))
        with plane.counting() as statements:
            await known.send("HEAD", f"{NAME}/manifests/v1")
        assert statements == [], "a HEAD is no pull"
    assert sorted({*noted}) == noted


async def test_a_pull_that_does_not_count_writes_nothing_when_it_is_known_not_to(
    client: RegistryClient,
    plane: CountedPlane,
    make_repository: Make,
    database: Database,
    registry: Registry,
    seal: Seal,
    root_key: AccessKey,
    postgres_url: str,
) -> None:
    repository = await make_repository(NAME)
    await client.push_image(NAME, "v1")
    role = f"arn:aws:iam::{registry.account}:role/trivy"
    principal = await Identities(database, seal, root_key.principal.account).role_session("trivy", EVERYTHING)
    password = (await load_keyring(database, seal)).close_password(principal)[0]
    scanner = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    known, path = replace(client, base=plane.url), f"{NAME}/manifests/v1"
    await pull_time_exclusions.register(database, registry, role)
    await nothing_is_underway(postgres_url)
    await known.send("GET", path, headers=scanner)
    with plane.counting() as statements:
        await known.send("GET", path, headers=scanner)
    assert statements == []
    assert await pulled_at(database, repository) is None
    await pull_time_exclusions.deregister(database, registry, role)
    await known.send("GET", path, headers=scanner)
    assert await pulled_at(database, repository) is not None


async def pulled_at(database: Database, repository: Repository) -> Any:
    question = select(schema.images.c.last_pulled_at).where(schema.images.c.repository_id == repository.id)
    async with database.reading() as connection:
        return await connection.scalar(question)
