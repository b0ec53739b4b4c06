"""Malformed manifests, pushed to the data plane."""

import gzip
import json
from typing import Any

import pytest

from berth.images.manifests import MAX_BYTES
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.registry import Bad, bad, check_refused

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DIGEST = "sha256:" + "0" * 64
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": DIGEST, "size": 2}
GONE = object()
PUT = "PUT /v2/bad/input/manifests/v2"


def changed(base: dict[str, Any], **fields: Any) -> bytes:
    document = {**base, **fields}
    return json.dumps({name: value for name, value in document.items() if value is not GONE}).encode()


def image(**fields: Any) -> bytes:
    """An image manifest, with `fields` for those that it has; GONE takes one away."""
    return changed({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": LAYER, "layers": [LAYER]}, **fields)


def index(**fields: Any) -> bytes:
    child = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 2}
    return changed({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}, **fields)


def layer(**fields: Any) -> bytes:
    return image(layers=[LAYER, json.loads(changed(LAYER, **fields))])


def manifest(fault: str, content: bytes, names: str, media_type: str | None = None) -> object:
    return bad(fault, PUT, 400, "MANIFEST_INVALID", names, {"Content-Type": media_type}, content)


JSON = "JSON"
SYNTAX = [
    manifest("nothing", b"", JSON),
    manifest("blanks", b"  \r\n ", JSON),
    manifest("text", b"manifest", JSON),
    manifest("markup", b"<manifest/>", JSON),
    manifest("YAML", b"schemaVersion: 2", JSON),
    manifest("half of one", image()[:-9], JSON),
    manifest("something after it", image() + b"x", JSON),
    manifest("another one after it", image() + image(), JSON),
    manifest("NUL after it", image() + b"\0", JSON),
    manifest("a byte order mark", b"\xef\xbb\xbf" + image(), JSON),
    manifest("utf-16", image().decode().encode("utf-16"), JSON),
    manifest("invalid utf-8", image(annotations={"a": "@"}).replace(b"@", b"\xff"), JSON),
    manifest("a lone surrogate", image(annotations={"a": "\ud800"}), JSON),
    manifest("a comma too many", image().replace(b"]}", b"],}"), JSON),
    manifest("a comment", b"/* */" + image(), JSON),
    manifest("NaN", image(size=float("nan")), JSON),
    manifest("Infinity", image(size=float("inf")), JSON),
    manifest("single quotes", image().replace(b'"', b"'"), JSON),
    manifest("100,000 lists", b"[" * 100_000, JSON),
    manifest("100,000 lists, closed", b"[" * 100_000 + b"]" * 100_000, JSON),
    manifest("100,000 objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON),
    manifest("1,100 lists within", image()[:-1] + b',"x":' + b"[" * 1100 + b"]" * 1100 + b"}", JSON),
    manifest("the same field twice", image()[:-1] + b',"layers":[]}', "'layers' twice"),
    manifest("the same field twice in a layer", layer().replace(b'"size": 2', b'"size": 2, "size": 3'), "'size' twice"),
    manifest("a list", b"[]", "object"),
    manifest("a string", b'"manifest"', "object"),
    manifest("a number", b"2", "object"),
    manifest("null", b"null", "object"),
    manifest("an empty object", b"{}", "schemaVersion"),
    bad("4 MiB and a byte", PUT, 413, "MANIFEST_INVALID", str(MAX_BYTES), None, b" " * (MAX_BYTES + 1)),
    bad(
        "4 MiB and a byte, chunked",
        PUT,
        413,
        "MANIFEST_INVALID",
        str(MAX_BYTES),
        {"Transfer-Encoding": "chunked"},
        b"400001\r\n" + b" " * (MAX_BYTES + 1) + b"\r\n0\r\n\r\n",
    ),
    bad("gzip", PUT, 415, "MANIFEST_INVALID", "gzip", {"Content-Encoding": "gzip"}, gzip.compress(image())),
    bad("gzip twice", PUT, 415, "MANIFEST_INVALID", "gzip, gzip", {"Content-Encoding": "gzip, gzip"}, b"x"),
    manifest("gzip that nobody told of", gzip.compress(image()), JSON),
]

VERSION, TYPE = "schemaVersion", "media type"
KINDS = [
    manifest("no schema version", image(schemaVersion=GONE), VERSION),
    manifest("schema version 1", image(schemaVersion=1), VERSION),
    manifest("schema version 3", image(schemaVersion=3), VERSION),
    manifest("schema version in a string", image(schemaVersion="2"), VERSION),
    manifest("schema version with a point", image(schemaVersion=2.0), VERSION),
    manifest("schema version true", image(schemaVersion=True), VERSION),
    manifest("schema version null", image(schemaVersion=None), VERSION),
    manifest("schema version in a list", image(schemaVersion=[2]), VERSION),
    manifest(
        "Docker's schema 1",
        b'{"schemaVersion":1,"name":"bad/input","tag":"v2","architecture":"amd64","fsLayers":[],"history":[]}',
        VERSION,
        "application/vnd.docker.distribution.manifest.v1+json",
    ),
    manifest(
        "Docker's signed schema 1", image(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"), TYPE
    ),
    manifest("a media type of no manifest", image(mediaType="application/json"), TYPE),
    manifest("a media type with parameters", image(mediaType=f"{OCI_MANIFEST}; charset=utf-8"), TYPE),
    manifest("a media type in upper case", image(mediaType=OCI_MANIFEST.upper()), TYPE),
    manifest("a media type of 9,000 letters", image(mediaType="a" * 9000), TYPE),
    manifest("a number for media type", image(mediaType=2), "mediaType"),
    manifest("another Content-Type", image(), "the request says", DOCKER_MANIFEST),
    manifest("the Content-Type of an index", image(), "the request says", OCI_INDEX),
    manifest("the Content-Type of JSON", image(), "the request says", "application/json"),
    manifest("a Content-Type of garbage", image(mediaType=GONE), TYPE, "garbage"),
    manifest("a Content-Type of 9,000 letters", image(mediaType=GONE), TYPE, "a" * 9000),
    manifest("the Content-Type of a form", image(mediaType=GONE), TYPE, "application/x-www-form-urlencoded"),
    manifest("an index that says it is an image", index(mediaType=OCI_MANIFEST), "'config'"),
    manifest("an image that says it is an index", image(mediaType=OCI_INDEX), "'manifests'"),
    manifest("an image that says it is a list", image(mediaType=DOCKER_LIST), "'manifests'"),
    manifest("both manifests and layers", image(manifests=[]), "'manifests'"),
    manifest("an index with layers", index(layers=[]), "'layers'"),
    manifest("an index with a config", index(config=LAYER), "'config'"),
    manifest("neither layers nor manifests", image(layers=GONE, config=GONE), "'config'"),
]

FIELDS = [
    manifest("no config", image(config=GONE), "'config'"),
    manifest("config null", image(config=None), "'config'"),
    manifest("config in a list", image(config=[LAYER]), "'config'"),
    manifest("config in a string", image(config=DIGEST), "'config'"),
    manifest("an empty config", image(config={}), "'config.mediaType'"),
    manifest("no layers", image(layers=GONE), "'layers'"),
    manifest("layers null", image(layers=None), "'layers'"),
    manifest("layers in an object", image(layers={"0": LAYER}), "'layers'"),
    manifest("a number for layers", image(layers=2), "'layers'"),
    manifest("a string for a layer", image(layers=[LAYER, DIGEST]), "'layers[1]'"),
    manifest("a layer null", image(layers=[None]), "'layers[0]'"),
    manifest("a list for a layer", image(layers=[[LAYER]]), "'layers[0]'"),
    manifest("a layer without a digest", layer(digest=GONE), "'layers[1].digest'"),
    manifest("a layer of no digest", layer(digest="latest"), "'layers[1].digest'"),
    manifest("a number for a digest", layer(digest=2), "'layers[1].digest'"),
    manifest("a list for a digest", layer(digest=[DIGEST]), "'layers[1].digest'"),
    manifest("a digest of 9,000 letters", layer(digest=f"sha256:{'0' * 9000}"), "'layers[1].digest'"),
    manifest("a digest in upper case", layer(digest=DIGEST.replace("0", "A")), "'layers[1].digest'"),
    manifest("a digest of another algorithm", layer(digest=f"md5:{'0' * 32}"), "'layers[1].digest'"),
    manifest("a digest and a line feed", layer(digest=f"{DIGEST}\n"), "'layers[1].digest'"),
    manifest("a layer without a size", layer(size=GONE), "'layers[1].size'"),
    manifest("a size null", layer(size=None), "'layers[1].size'"),
    manifest("a negative size", layer(size=-1), "'layers[1].size'"),
    manifest("a size with a point", layer(size=2.0), "'layers[1].size'"),
    manifest("a size in a string", layer(size="2"), "'layers[1].size'"),
    manifest("a size true", layer(size=True), "'layers[1].size'"),
    manifest("a size of 2⁶³", layer(size=2**63), "'layers[1].size'"),
    manifest("a size of 400 digits", layer(size=0).replace(b'"size": 0', b'"size": ' + b"9" * 400), JSON),
    manifest("a size of 1e3", layer(size=0).replace(b'"size": 0', b'"size": 1e3'), "'layers[1].size'"),
    manifest("sizes that add up to more than 2⁶³", layer(size=2**63 - 1, digest=DIGEST[:-1] + "1"), "add up"),
    manifest("a layer without a media type", layer(mediaType=GONE), "'layers[1].mediaType'"),
    manifest("a layer of an empty media type", layer(mediaType=""), "'layers[1].mediaType'"),
    manifest("a number for a layer's media type", layer(mediaType=2), "'layers[1].mediaType'"),
    manifest("a layer's media type with NUL", layer(mediaType="a/b\0"), "'layers[1].mediaType'"),
    manifest("a layer's media type of 9,000 letters", layer(mediaType="a" * 9000), "'layers[1].mediaType'"),
    manifest("annotations in a list", image(annotations=["a"]), "'annotations'"),
    manifest("annotations in a string", image(annotations="a"), "'annotations'"),
    manifest("an annotation of a number", image(annotations={"a": 1}), "'annotations'"),
    manifest("an annotation null", image(annotations={"a": None}), "'annotations'"),
    manifest("an annotation of an object", image(annotations={"a": {}}), "'annotations'"),
    manifest("an annotation with NUL", image(annotations={"a": "\0"}), "'annotations'"),
    manifest("an annotation whose name has NUL", image(annotations={"\0": "a"}), "'annotations'"),
    manifest("a number for the artifact type", image(artifactType=2), "'artifactType'"),
    manifest("an artifact type with NUL", image(artifactType="a/b\0"), "'artifactType'"),
    manifest("an artifact type of 9,000 letters", image(artifactType="a" * 9000), "'artifactType'"),
    manifest("a subject in a string", image(subject=DIGEST), "'subject'"),
    manifest("a subject in a list", image(subject=[LAYER]), "'subject'"),
    manifest("an empty subject", image(subject={}), "'subject.mediaType'"),
    manifest("a subject of no digest", image(subject={**LAYER, "digest": "v1"}), "'subject.digest'"),
    manifest("manifests in an object", index(manifests={}), "'manifests'"),
    manifest("manifests null", index(manifests=None), "'manifests'"),
    manifest("a manifest null", index(manifests=[None]), "'manifests[0]'"),
    manifest("a manifest without a size", index(manifests=[{**LAYER, "size": "2"}]), "'manifests[0].size'"),
]

MISSING = [
    bad("layers that are not there", PUT, 400, "MANIFEST_BLOB_UNKNOWN", DIGEST, None, image()),
    bad("images that are not there", PUT, 400, "MANIFEST_BLOB_UNKNOWN", DIGEST, None, index()),
    bad(
        "5,000 layers that are not there",
        PUT,
        400,
        "MANIFEST_BLOB_UNKNOWN",
        DIGEST,
        None,
        image(layers=[{**LAYER, "digest": f"sha256:{number:064}"} for number in range(5000)]),
    ),
    bad(
        "5,000 images that are not there",
        PUT,
        400,
        "MANIFEST_BLOB_UNKNOWN",
        DIGEST,
        None,
        index(manifests=[{**LAYER, "digest": f"sha256:{number:064}"} for number in range(5000)]),
    ),
    bad(
        "another digest than the address",
        f"PUT /v2/bad/input/manifests/{DIGEST}",
        400,
        "DIGEST_INVALID",
        "the manifest has the digest",
        None,
        image(),
    ),
    bad(
        "a repository that is not there",
        "PUT /v2/bad/none/manifests/v1",
        404,
        "NAME_UNKNOWN",
        "'bad/none'",
        None,
        image(),
    ),
]


@pytest.mark.parametrize("row", SYNTAX)
async def test_a_manifest_that_is_no_json_object_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", KINDS)
async def test_a_manifest_of_no_kind_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", FIELDS)
async def test_a_manifest_with_a_malformed_field_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", MISSING)
async def test_a_manifest_of_what_is_not_there_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)
