"""A push by digest that puts tags on the image too: OCI Distribution 1.1+dev, "Pushing Manifests", parameter `tag`."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from berth.repositories import Repository

from .conftest import OCI_MANIFEST, Answer, RegistryClient, sha256

MakeRepository = Callable[..., Awaitable[Repository]]


async def put(client: RegistryClient, document: dict[str, Any], query: str, reference: str | None = None) -> Answer:
    content = json.dumps(document).encode()
    path = f"app/manifests/{reference or sha256(content)}?{query}"
    return await client.send("PUT", path, data=content, headers={"Content-Type": OCI_MANIFEST})


async def tags(client: RegistryClient) -> list[str]:
    found: list[str] = json.loads((await client.send("GET", "app/tags/list")).body)["tags"]
    return found


async def test_the_image_has_all_the_tags(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    digest, document = await client.push_image("app", None)
    names = [f"v1.{number}" for number in range(20)]
    answer = await put(client, document, "&".join(f"tag={name}" for name in names))
    assert answer.status == 201
    assert answer.headers["OCI-Tag"].split(", ") == names
    assert answer.headers["Docker-Content-Digest"] == digest
    assert await tags(client) == sorted(names)
    for name in names:
        pulled = await client.send("HEAD", f"app/manifests/{name}")
        assert pulled.headers["Docker-Content-Digest"] == digest


async def test_an_image_with_a_sha512_digest_has_a_tag(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    digest = f"sha512:{hashlib.sha512(json.dumps(document).encode()).hexdigest()}"
    answer = await put(client, document, "tag=strong", digest)
    assert (answer.status, answer.headers["OCI-Tag"]) == (201, "strong")
    assert (await client.send("HEAD", "app/manifests/strong")).headers["Docker-Content-Digest"] == digest


async def test_a_tag_given_twice_is_one(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    answer = await put(client, document, "tag=a&tag=a")
    assert (answer.status, answer.headers["OCI-Tag"]) == (201, "a")


async def test_a_push_by_tag_has_no_other_tags(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    answer = await put(client, document, "tag=other", "this")
    assert answer.status == 201
    assert "OCI-Tag" not in answer.headers
    assert await tags(client) == ["this"]


async def test_one_immutable_tag_keeps_all_of_them_off(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app", "IMMUTABLE")
    _, document = await client.push_image("app", "v1")
    answer = await put(client, document | {"annotations": {"new": "yes"}}, "tag=v2&tag=v1&tag=v3")
    assert (answer.status, answer.error["code"]) == (400, "TAG_INVALID")
    assert answer.error["message"].startswith("The image tag 'v1' already exists in the 'app' repository")
    assert await tags(client) == ["v1"]


@pytest.mark.parametrize("tag", ["", ".hidden", "-x", "a/b", "a%20b", "%00", "a" * 129, "a%2C%20b", "sha256%3Ab"])
async def test_a_tag_that_is_none_is_refused(client: RegistryClient, make_repository: MakeRepository, tag: str) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    answer = await put(client, document, f"tag=good&tag={tag}")
    assert (answer.status, answer.error["code"]) == (400, "TAG_INVALID")
    assert await tags(client) == []


async def test_too_many_tags_are_refused(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    answer = await put(client, document, "&".join(f"tag=t{number}" for number in range(101)))
    assert (answer.status, answer.error["code"]) == (414, "TAG_INVALID")
    assert await tags(client) == []
