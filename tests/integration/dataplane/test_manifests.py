"""Pushing, pulling and deleting manifests, tags and referrers over a real socket."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import PASSWORD_SECONDS, load_keyring
from berth.images import descriptions
from berth.names import Registry
from berth.repositories import Repository
from berth.sealing import Seal
from tests.integration.dataplane.conftest import OCI_INDEX, OCI_MANIFEST, RegistryClient, sha256

Make = Callable[..., Awaitable[Repository]]
ZEROS = "sha256:" + "0" * 64


def index_of(*digests: str, **fields: Any) -> dict[str, Any]:
    manifests = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 100} for digest in digests]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests, **fields}


async def test_an_image_is_pulled_by_tag_and_by_digest_byte_for_byte(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    digest, document = await client.push_image("team/app", "v1")
    for reference in ("v1", digest):
        answer = await client.send("GET", f"team/app/manifests/{reference}")
        assert (answer.status, answer.body) == (200, json.dumps(document).encode())
        assert answer.headers["Content-Type"] == OCI_MANIFEST
        assert answer.headers["Docker-Content-Digest"] == digest == sha256(answer.body)
        head = await client.send("HEAD", f"team/app/manifests/{reference}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(answer.body))


async def test_a_tag_moves_to_the_image_that_was_pushed_last(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/app")
    first, _ = await client.push_image("team/app", "latest", b"1")
    second, _ = await client.push_image("team/app", "latest", b"2")
    assert (await client.send("HEAD", "team/app/manifests/latest")).headers["Docker-Content-Digest"] == second
    assert (await client.send("HEAD", f"team/app/manifests/{first}")).status == 200


async def test_an_immutable_tag_is_refused_in_ecrs_words_even_for_the_same_image(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app", "IMMUTABLE_WITH_EXCLUSION", ["dev-*"])
    _, document = await client.push_image("team/app", "v1")
    content = json.dumps(document).encode()
    answer = await client.send("PUT", "team/app/manifests/v1", data=content)
    assert (answer.status, answer.error["code"]) == (400, "TAG_INVALID")
    assert answer.error["message"] == (
        "The image tag 'v1' already exists in the 'team/app' repository "
        "and cannot be overwritten because the tag is immutable."
    )
    for _ in range(2):
        assert (await client.send("PUT", "team/app/manifests/dev-1", data=content)).status == 201


async def test_of_pushes_of_one_immutable_tag_at_once_exactly_one_is_taken(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app", "IMMUTABLE")
    documents = [(await client.push_image("team/app", None, bytes([seed])))[1] for seed in range(8)]
    answers = await asyncio.gather(
        *(client.send("PUT", "team/app/manifests/v1", data=json.dumps(document).encode()) for document in documents)
    )
    assert sorted(answer.status for answer in answers) == [201] + [400] * 7


async def test_an_image_that_names_missing_layers_is_refused_and_they_are_named(
    client: RegistryClient, make_repository: Make, registry: Registry
) -> None:
    await make_repository("team/app")
    _, document = await client.push_image("team/app", None)
    document["layers"].append({"mediaType": "application/octet-stream", "digest": ZEROS, "size": 1})
    answer = await client.send("PUT", "team/app/manifests/v2", data=json.dumps(document).encode())
    assert (answer.status, answer.error["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert answer.error["message"] == (
        f"Layers with digests '[{ZEROS}]' required for pushing image into repository with name 'team/app' "
        f"in the registry with id '{registry.account}' do not exist"
    )
    assert (await client.send("HEAD", "team/app/manifests/v2")).status == 404


async def test_an_index_is_taken_when_all_its_images_are_there_and_keeps_them(
    client: RegistryClient, make_repository: Make, database: Database
) -> None:
    repository = await make_repository("team/app")
    sparse = json.dumps(index_of(ZEROS)).encode()
    refused = await client.send("PUT", "team/app/manifests/multi", data=sparse, headers={"Content-Type": OCI_INDEX})
    assert (refused.status, refused.error["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
    amd64, _ = await client.push_image("team/app", None, b"amd64")
    arm64, _ = await client.push_image("team/app", None, b"arm64, and larger")
    index = await client.push_manifest("team/app", "multi", index_of(amd64, arm64), OCI_INDEX)
    kept = await client.send("DELETE", f"team/app/manifests/{amd64}")
    assert kept.status == 409
    assert kept.error["message"] == f"Requested image referenced by manifest list: [{index}]"
    described = await descriptions.named(database, repository.registry, repository.name, [index, arm64])
    assert described[index].size == described[arm64].size == len(b"{}") + len(b"layerarm64, and larger")
    assert (await client.send("DELETE", f"team/app/manifests/{index}")).status == 202
    assert (await client.send("DELETE", f"team/app/manifests/{amd64}")).status == 202


async def test_deleting_a_tag_leaves_the_image_and_deleting_the_image_takes_its_tags(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    digest, document = await client.push_image("team/app", "one")
    await client.push_manifest("team/app", "two", document)
    assert (await client.send("DELETE", "team/app/manifests/one")).status == 202
    assert (await client.send("HEAD", "team/app/manifests/one")).status == 404
    assert (await client.send("HEAD", f"team/app/manifests/{digest}")).status == 200
    assert (await client.send("DELETE", f"team/app/manifests/{digest}")).status == 202
    assert (await client.send("HEAD", "team/app/manifests/two")).status == 404
    assert (await client.send("DELETE", f"team/app/manifests/{digest}")).status == 404


async def test_pushes_and_deletes_of_one_image_at_once_never_fail_within(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    digest, document = await client.push_image("team/app", "v0")
    content = json.dumps(document).encode()
    index = json.dumps(index_of(digest)).encode()

    async def push(tag: str) -> int:
        return (await client.send("PUT", f"team/app/manifests/{tag}", data=content)).status

    async def push_index() -> int:
        headers = {"Content-Type": OCI_INDEX}
        return (await client.send("PUT", "team/app/manifests/v0", data=index, headers=headers)).status

    async def delete(reference: str) -> int:
        return (await client.send("DELETE", f"team/app/manifests/{reference}")).status

    work = [push("v0"), push_index(), delete(digest), push("v1"), delete("v0"), delete(sha256(index))]
    statuses = await asyncio.gather(
        *work, *(step for _ in range(10) for step in (push("v0"), push_index(), delete(digest), delete(sha256(index))))
    )
    assert set(statuses) <= {201, 202, 400, 404, 409}, statuses


async def test_tags_are_listed_in_order_page_by_page(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/app")
    names = ["Z", "a", "b.1", "b_2", "latest"]
    for name in names:
        await client.push_image("team/app", name)
    whole = json.loads((await client.send("GET", "team/app/tags/list")).body)
    assert whole["tags"] == names
    seen: list[str] = []
    path = "team/app/tags/list?n=2"
    while path:
        answer = await client.send("GET", path)
        seen += json.loads(answer.body)["tags"]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix("<")
    assert seen == names
    assert json.loads((await client.send("GET", "team/app/tags/list?n=0")).body)["tags"] == []
    assert json.loads((await client.send("GET", "team/app/tags/list?last=b.1")).body)["tags"] == ["b_2", "latest"]


async def test_referrers_are_listed_filtered_and_paged(client: RegistryClient, make_repository: Make) -> None:
    await make_repository("team/app")
    digest, _ = await client.push_image("team/app", "v1")
    subject = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
    kinds = {"application/vnd.example.sbom": 3, "application/vnd.example.signature": 2}
    for kind, count in kinds.items():
        for number in range(count):
            note = {"number": str(number)}
            await client.push_image("team/app", None, subject=subject, artifactType=kind, annotations=note)
    answer = await client.send("GET", f"team/app/referrers/{digest}")
    assert answer.headers["Content-Type"] == OCI_INDEX
    found = json.loads(answer.body)["manifests"]
    assert len(found) == 5
    assert {entry["artifactType"] for entry in found} == set(kinds)
    assert all(entry["annotations"]["number"] for entry in found)
    path = f"team/app/referrers/{digest}?artifactType=application/vnd.example.sbom&n=2"
    sizes = []
    while path:
        answer = await client.send("GET", path)
        assert answer.headers["OCI-Filters-Applied"] == "artifactType"
        sizes.append(len(json.loads(answer.body)["manifests"]))
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert sizes == [2, 1]
    nothing = await client.send("GET", f"team/app/referrers/{ZEROS}")
    assert (nothing.status, json.loads(nothing.body)["manifests"]) == (200, [])


async def test_an_artifact_may_be_pushed_before_its_subject_and_says_whose_it_is(
    client: RegistryClient, make_repository: Make
) -> None:
    await make_repository("team/app")
    _, document = await client.push_image("team/app", None)
    document["subject"] = {"mediaType": OCI_MANIFEST, "digest": ZEROS, "size": 1}
    answer = await client.send("PUT", "team/app/manifests/sig", data=json.dumps(document).encode())
    assert (answer.status, answer.headers["OCI-Subject"]) == (201, ZEROS)


async def test_a_pull_is_recorded_and_a_look_is_not(
    client: RegistryClient, make_repository: Make, database: Database
) -> None:
    repository = await make_repository("team/app")
    digest, _ = await client.push_image("team/app", "v1")
    await client.send("HEAD", "team/app/manifests/v1")
    assert (await descriptions.named(database, repository.registry, repository.name, [digest]))[
        digest
    ].last_pulled_at is None
    await client.send("GET", "team/app/manifests/v1")
    pulled = (await descriptions.named(database, repository.registry, repository.name, [digest]))[digest].last_pulled_at
    assert pulled is not None
    assert abs((datetime.now(UTC) - pulled).total_seconds()) < 60


async def test_a_push_into_a_missing_repository_is_refused_in_ecrs_words(
    client: RegistryClient, registry: Registry
) -> None:
    for method, path in [
        ("POST", "no/such/blobs/uploads/"),
        ("GET", "no/such/tags/list"),
        ("GET", "no/such/manifests/v1"),
        ("PUT", "no/such/manifests/v1"),
        ("GET", f"no/such/blobs/{ZEROS}"),
        ("GET", f"no/such/referrers/{ZEROS}"),
    ]:
        data = json.dumps(index_of()).encode() if method == "PUT" else None
        answer = await client.send(method, path, data=data)
        assert (answer.status, answer.error["code"]) == (404, "NAME_UNKNOWN"), path
        assert answer.error["message"] == (
            f"The repository with name 'no/such' does not exist in the registry with id '{registry.account}'"
        )


async def test_without_a_password_the_registry_asks_for_one_as_ecr_does(registry_url: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{registry_url}/v2/") as answer:
        assert answer.status == 401
        host = registry_url.partition("//")[2]
        assert answer.headers["WWW-Authenticate"].endswith(',service="ecr.amazonaws.com"')
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="http')
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert (await answer.json())["errors"][0]["code"] == "UNAUTHORIZED", host


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic QVdT", "Basic QVdTOg==", "Bearer QVdTOng=", "Basic Ym9iOng=", "Basic QVdTOng="],
)
async def test_any_other_password_is_refused(client: RegistryClient, header: str) -> None:
    answer = await client.send("GET", "/v2/", headers={"Authorization": header})
    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


async def test_an_expired_password_is_refused_in_ecrs_words(
    client: RegistryClient, database: Database, seal: Seal, root_key: AccessKey
) -> None:
    ring = await load_keyring(database, seal)
    old, _ = ring.close_password(root_key.principal, now=time.time() - PASSWORD_SECONDS - 1)
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", old)}
    answer = await client.send("GET", "/v2/", headers=headers)
    assert (answer.status, answer.error["code"]) == (403, "DENIED")
    assert answer.error["message"] == "Your authorization token has expired. Reauthenticate and try again."


async def test_the_root_of_one_account_may_not_touch_another(
    client: RegistryClient, registry: Registry, root_key: AccessKey
) -> None:
    other = "111122223333"
    answer = await client.send("GET", f"/v2/{other}/{registry.region}/team/app/manifests/v1")
    assert (answer.status, answer.error["code"]) == (403, "DENIED")
    assert answer.error["message"] == (
        f"User: {root_key.principal.arn} is not authorized to perform: ecr:BatchGetImage on resource: "
        f"arn:aws:ecr:{registry.region}:{other}:repository/team/app "
        "because no resource-based policy allows the ecr:BatchGetImage action"
    )
