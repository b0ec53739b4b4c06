"""Image ids, pages and manifests outside their grammar, on the control plane."""

import json
from typing import Any

import pytest

from berth.identity.credentials.passwords import KeyRing, load_keyring
from tests.integration.bad_input.api import INVALID, SERIALIZATION, Bad, check_refused, on_repository
from tests.integration.bad_input.conftest import NAME, Place

ZEROS = "sha256:" + "0" * 64


def image(fault: str, names: str, code: str = INVALID, **members: Any) -> object:
    return on_repository(fault, "DescribeImages", code, names, **members)


IMAGES = [
    image("no ids", "imageIds", imageIds=[]),
    image("101 ids", "100", imageIds=[{"imageTag": "v1"}] * 101),
    image("an id of nothing", "cannot be null", imageIds=[{}]),
    image("an id null", "imageIds", imageIds=[None]),
    image("a number for an id", "imageIds", SERIALIZATION, imageIds=[1]),
    image("a digest of another algorithm", "imageDigest", imageIds=[{"imageDigest": f"md5:{'0' * 32}"}]),
    image("a digest that is short", "imageDigest", imageIds=[{"imageDigest": "sha256:0"}]),
    image("a digest in upper case", "imageDigest", imageIds=[{"imageDigest": f"sha256:{'A' * 64}"}]),
    image("a digest and a line feed", "imageDigest", imageIds=[{"imageDigest": f"{ZEROS}\n"}]),
    image("a digest of 100,000 digits", "imageDigest", imageIds=[{"imageDigest": "sha256:" + "0" * 100_000}]),
    image("a tag with a blank", "imageTag", imageIds=[{"imageTag": "v 1"}]),
    image("a tag with NUL", "imageTag", imageIds=[{"imageTag": "v\0"}]),
    image("an empty tag", "imageTag", imageIds=[{"imageTag": ""}]),
    image("a tag of 301 letters", "imageTag", imageIds=[{"imageTag": "v" * 301}]),
    image("a tag of 129 letters", "imageTag", imageIds=[{"imageTag": "v" * 129}]),
    image("a tag of 100,000 letters", "imageTag", imageIds=[{"imageTag": "v" * 100_000}]),
    image("a tag that is not there", "'none'", "ImageNotFoundException", imageIds=[{"imageTag": "none"}]),
    image("ids and a page", "maxResults", imageIds=[{"imageTag": "v1"}], maxResults=1),
    image("a filter of no status", "TAGGED", filter={"tagStatus": "ALL"}),
    image("a filter in small letters", "tagStatus", filter={"tagStatus": "tagged"}),
]

PAGES = [
    on_repository(f"{operation} of {fault}", operation, INVALID, "maxResults", maxResults=number)
    for operation in ("ListImages", "DescribeImages")
    for fault, number in (("none", 0), ("fewer than none", -1), ("1,001", 1001), ("2 billion", 2**31 - 1))
] + [
    on_repository(f"{operation} after {fault}", operation, INVALID, "nextToken", nextToken=text)
    for operation in ("ListImages", "DescribeImages")
    for fault, text in {
        "nothing": "",
        "a word": "next",
        "a number": "2",
        "base64": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        "letters beyond ascii": "ü",
        "a line feed": "AAAA\n",
        "JSON": '{"after":"x"}',
        "100,000 letters": "A" * 100_000,
    }.items()
]

MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "a/b", "digest": ZEROS, "size": 2},
        "layers": [],
    }
)


def put(fault: str, names: str, manifest: Any = MANIFEST, code: str = INVALID, **members: Any) -> object:
    return on_repository(fault, "PutImage", code, names, imageManifest=manifest, **members)


MANIFESTS = [
    put("nothing", "imageManifest", ""),
    put("text", "JSON", "manifest"),
    put("a list", "object", "[]"),
    put("100,000 lists", "JSON", "[" * 100_000),
    put("no schema version", "schemaVersion", "{}"),
    put("schema version 1", "schemaVersion", '{"schemaVersion":1}'),
    put("a field twice", "twice", MANIFEST[:-1] + ',"layers":[]}'),
    put("NUL", "NUL", "\0" + MANIFEST),
    put("4 MiB and a byte", "4194304", " " * (4 * 1024 * 1024 + 1)),
    put("another media type", "media type", imageManifestMediaType="application/json"),
    put("a media type of 9,000 letters", "media type", imageManifestMediaType="a" * 9000),
    put("an empty tag", "imageTag", imageTag=""),
    put("a tag with a slash", "imageTag", imageTag="v/1"),
    put("a tag of 129 letters", "imageTag", imageTag="v" * 129),
    put("a digest that is none", "imageDigest", imageDigest="x"),
    put("the digest of another", ZEROS, code="ImageDigestDoesNotMatchException", imageDigest=ZEROS),
    put("layers that are not there", ZEROS, code="LayersNotFoundException"),
    put("an object", "imageManifest", {}, SERIALIZATION),
]


@pytest.mark.parametrize("row", IMAGES)
async def test_a_malformed_image_id_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", PAGES)
async def test_a_malformed_page_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", MANIFESTS)
async def test_a_malformed_image_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


def _flip(token: str, position: int) -> str:
    return token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]


def _purpose(operation: str, account: str = "000000000000", region: str = "us-east-1", chosen: str = "") -> str:
    filters = chosen or json.dumps({"filter": None, "repositoryName": NAME}, separators=(",", ":"))
    return f"page token of {operation} in {account}/{region} where {filters}"


async def test_a_page_token_of_another_listing_is_refused(place: Place, ring: KeyRing) -> None:
    good = ring.close(b'["",""]', _purpose("ListImages"))
    content = {"repositoryName": NAME, "nextToken": good}
    spoilt = {
        "another operation": ring.close(b'["",""]', _purpose("DescribeImages")),
        "another account": ring.close(b'["",""]', _purpose("ListImages", account="999999999999")),
        "another region": ring.close(b'["",""]', _purpose("ListImages", region="eu-west-1")),
        "another filter": ring.close(b'["",""]', _purpose("ListImages", chosen="{}")),
        "a password": place.password,
        "its first letter changed": _flip(good, 0),
        "a letter within changed": _flip(good, len(good) // 2),
        "its end cut off": good[:-4],
        "twice": good * 2,
    }
    for token in spoilt.values():
        row = Bad("ListImages", json.dumps({**content, "nextToken": token}).encode(), INVALID, "nextToken")
        await check_refused(place, row)


@pytest.fixture
async def ring(place: Place) -> KeyRing:
    return await load_keyring(place.database, place.master)
