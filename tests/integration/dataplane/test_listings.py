"""Lists on `/v2/`: the catalog, the tags of a repository, the referrers of an image, each page by page."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from berth import repositories
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.passwords import load_keyring
from berth.names import Registry, RepositoryName
from berth.repositories import Repository
from berth.repositories.mutability import Mutability
from berth.sealing import Seal
from berth.settings import Settings

from .conftest import RegistryClient

MakeRepository = Callable[..., Awaitable[Repository]]


async def pages(client: RegistryClient, path: str, member: str) -> list[list[Any]]:
    """What each page holds, by following Link until there is none."""
    found: list[list[Any]] = []
    visited: set[str] = set()
    while path:
        assert path not in visited, f"{path} leads to itself"
        visited.add(path)
        answer = await client.send("GET", path)
        assert answer.status == 200, answer
        found.append(json.loads(answer.body)[member])
        link = answer.headers.get("Link", "")
        matched = re.fullmatch(r'<(/[^>]+)>; rel="next"', link)
        assert bool(matched) == bool(link), link
        path = matched[1] if matched else ""
    return found


class TestCatalog:
    async def test_it_names_the_repositories_of_the_registry_and_of_no_other(
        self, client: RegistryClient, make_repository: MakeRepository, database: Database
    ) -> None:
        for name in ("team/b", "team/a", "zz"):
            await make_repository(name)
        stranger = Registry("000000000042", "eu-west-9")
        await repositories.create(database, stranger, RepositoryName("theirs"), mutability=Mutability.of("MUTABLE"))
        answer = await client.send("GET", "_catalog")
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("application/json")
        assert json.loads(answer.body) == {"repositories": ["team/a", "team/b", "zz"]}
        assert "Link" not in answer.headers

    async def test_an_empty_registry_has_an_empty_catalog(self, client: RegistryClient) -> None:
        assert json.loads((await client.send("GET", "_catalog")).body) == {"repositories": []}

    @pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 99])
    async def test_it_comes_in_pages(self, client: RegistryClient, make_repository: MakeRepository, size: int) -> None:
        names = [f"r{number}" for number in range(5)]
        for name in names:
            await make_repository(name)
        found = await pages(client, f"_catalog?n={size}", "repositories")
        assert [name for page in found for name in page] == names
        assert {len(page) for page in found[:-1]} <= {size}
        assert found[-1]

    async def test_it_goes_on_after_last(self, client: RegistryClient, make_repository: MakeRepository) -> None:
        for name in ("aa", "bb", "cc"):
            await make_repository(name)
        for last, expected in (("aa", ["bb", "cc"]), ("b", ["bb", "cc"]), ("cc", []), ("%00", ["aa", "bb", "cc"])):
            answer = await client.send("GET", f"_catalog?last={last}")
            assert json.loads(answer.body)["repositories"] == expected

    async def test_a_page_of_none_leads_nowhere(self, client: RegistryClient, make_repository: MakeRepository) -> None:
        await make_repository("aa")
        assert await pages(client, "_catalog?n=0", "repositories") == [[]]

    @pytest.mark.parametrize("n", ["-1", "", "x", "1e3", "99999999999", "1_0", "٣"])
    async def test_a_size_that_is_no_number_is_refused(self, client: RegistryClient, n: str) -> None:
        answer = await client.send("GET", f"_catalog?n={n}")
        assert (answer.status, answer.error["code"]) == (400, "PAGINATION_NUMBER_INVALID")

    async def test_another_account_is_denied(
        self, client: RegistryClient, make_repository: MakeRepository, database: Database, seal: Seal
    ) -> None:
        repository = await make_repository("secret")
        stranger = await access_keys.create_root(database, seal, "000000000043")
        password = (await load_keyring(database, seal)).close_password(stranger.principal)[0]
        answer = await client.send(
            "GET", "_catalog", headers={"Authorization": aiohttp.encode_basic_auth("AWS", password)}
        )
        assert (answer.status, answer.error["code"]) == (403, "DENIED")
        assert answer.error["message"].startswith(
            "User: arn:aws:iam::000000000043:root is not authorized to perform: ecr:DescribeRepositories on resource: "
            f"{repository.registry.arn('*')} because "
        )

    async def test_without_a_registry_in_the_path_it_is_that_of_the_default_registry(
        self, registry_url: str, database: Database, seal: Seal, settings: Settings
    ) -> None:
        key = await access_keys.create_root(database, seal, settings.account_id)
        password = (await load_keyring(database, seal)).close_password(key.principal)[0]
        await repositories.create(
            database, settings.registry, RepositoryName("catalogued"), mutability=Mutability.of("MUTABLE")
        )
        headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
        async with aiohttp.ClientSession(headers=headers) as session:
            client = RegistryClient(session, registry_url, "/v2")
            found = await pages(client, "_catalog?n=1", "repositories")
            assert "catalogued" in [name for page in found for name in page]
            for path in ("/v2/name/_catalog", "/v2//_catalog", "/v2/_catalog/", "/v2/_catalog/tags/list"):
                assert (await client.send("GET", path)).status in {400, 404}
        await repositories.remove(database, settings.registry, "catalogued", force=True)

    async def test_only_get_is_answered(self, client: RegistryClient) -> None:
        answer = await client.send("DELETE", "_catalog")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


class TestTags:
    @pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 99])
    async def test_they_come_in_pages(self, client: RegistryClient, make_repository: MakeRepository, size: int) -> None:
        await make_repository("app")
        _, document = await client.push_image("app", "v0")
        for number in range(1, 5):
            await client.push_manifest("app", f"v{number}", document)
        found = await pages(client, f"app/tags/list?n={size}", "tags")
        assert [tag for page in found for tag in page] == [f"v{number}" for number in range(5)]

    async def test_the_link_keeps_the_size_of_the_page(
        self, client: RegistryClient, make_repository: MakeRepository
    ) -> None:
        await make_repository("app")
        _, document = await client.push_image("app", "a")
        await client.push_manifest("app", "b", document)
        answer = await client.send("GET", "app/tags/list?n=1")
        target = urlsplit(re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["Link"])[1])  # type: ignore[index]
        assert dict(parse_qsl(target.query)) == {"n": "1", "last": "a"}
        assert target.path == f"{client.prefix}/app/tags/list"


class TestReferrers:
    async def test_they_are_filtered_and_come_in_pages(
        self, client: RegistryClient, make_repository: MakeRepository
    ) -> None:
        await make_repository("app")
        digest, document = await client.push_image("app", "v1")
        subject = {"mediaType": document["mediaType"], "digest": digest, "size": 1}
        pushed: dict[str, set[str]] = {"application/sbom": set(), "application/signature": set()}
        for number in range(7):
            kind = sorted(pushed)[number % 2]
            fields = {"subject": subject, "artifactType": kind, "annotations": {"n": str(number)}}
            referrer, _ = await client.push_image("app", None, seed=bytes([number]), **fields)
            pushed[kind].add(referrer)
        for kind, expected in pushed.items():
            found = await pages(client, f"app/referrers/{digest}?artifactType={kind}&n=2", "manifests")
            assert [len(page) for page in found] == ([2, 2] if kind == "application/sbom" else [2, 1])
            assert {one["digest"] for page in found for one in page} == expected
            assert {one["artifactType"] for page in found for one in page} == {kind}
        everything = await pages(client, f"app/referrers/{digest}?n=3", "manifests")
        assert [len(page) for page in everything] == [3, 3, 1]
        assert {one["digest"] for page in everything for one in page} == set.union(*pushed.values())

    async def test_a_page_has_fewer_where_their_annotations_are_long(
        self, client: RegistryClient, make_repository: MakeRepository
    ) -> None:
        """No matter how much others have pushed, what is asked for fits into memory."""
        await make_repository("app")
        digest, document = await client.push_image("app", "v1")
        fields = {"subject": {"mediaType": document["mediaType"], "digest": digest, "size": 1}}
        long = {"note": "x" * (2 << 20)}
        pushed = {(await client.push_image("app", None, bytes([n]), annotations=long, **fields))[0] for n in range(4)}
        for query in ("", "?n=3"):
            found = await pages(client, f"app/referrers/{digest}{query}", "manifests")
            assert [len(page) for page in found] == [2, 2]
            assert {one["digest"] for page in found for one in page} == pushed

    async def test_a_filter_is_told_in_the_answer(
        self, client: RegistryClient, make_repository: MakeRepository
    ) -> None:
        await make_repository("app")
        digest, _ = await client.push_image("app", "v1")
        filtered = await client.send("GET", f"app/referrers/{digest}?artifactType=application/none")
        assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
        assert json.loads(filtered.body)["manifests"] == []
        assert "OCI-Filters-Applied" not in (await client.send("GET", f"app/referrers/{digest}")).headers
