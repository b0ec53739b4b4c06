"""What a manifest may look like, and what it says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    ManifestInvalid,
    parse,
)
from berth.names import Digest

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def descriptor(content: bytes, media_type: str = LAYER, **fields: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content), **fields}


def image(**fields: Any) -> dict[str, Any]:
    layers = [descriptor(b"one"), descriptor(b"twoo")]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(b"{}", CONFIG), "layers": layers}
    return {name: value for name, value in {**document, **fields}.items() if value is not ...}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_an_image_weighs_what_its_config_and_layers_do_each_counted_once() -> None:
    document = image(layers=[descriptor(b"one"), descriptor(b"one"), descriptor(b"twoo")])
    assert parse(encoded(document)).size == len(b"{}") + len(b"one") + len(b"twoo")


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_the_media_type_is_what_the_manifest_says_or_the_request_or_its_form(media_type: str) -> None:
    assert parse(encoded(image(mediaType=media_type))).media_type == media_type
    assert parse(encoded(image(mediaType=...)), media_type).media_type == media_type
    assert parse(encoded(image(mediaType=...))).media_type == OCI_MANIFEST
    assert parse(encoded({"schemaVersion": 2, "manifests": []})).media_type == OCI_INDEX
    assert parse(encoded({"schemaVersion": 2, "manifests": []}), DOCKER_LIST).is_index


def test_the_artifact_type_is_the_manifests_own_or_else_that_of_its_config() -> None:
    assert parse(encoded(image(artifactType="application/vnd.example"))).artifact_type == "application/vnd.example"
    assert parse(encoded(image())).artifact_type == CONFIG


def test_a_layer_that_lies_elsewhere_need_not_be_in_the_registry() -> None:
    foreign = descriptor(b"windows", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["https://x"])
    manifest = parse(encoded(image(layers=[descriptor(b"one"), foreign])))
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"{}"), Digest.of(b"one")]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"", "Invalid JSON syntax"),
        (b"{", "Invalid JSON syntax"),
        (b'{"schemaVersion": NaN}', "Invalid JSON syntax"),
        (b"[" * 100_000, "Invalid JSON syntax"),
        (b"\xff\xfe", "Invalid JSON syntax"),
        ([], "JSON object"),
        ({}, "schemaVersion"),
        (image(schemaVersion=1), "schemaVersion"),
        (image(schemaVersion=True), "schemaVersion"),
        (image(schemaVersion="2"), "schemaVersion"),
        (image(mediaType=2), "mediaType"),
        (image(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"), "media type"),
        (image(mediaType=OCI_INDEX), "media type"),
        (image(manifests=[]), "fields"),
        (image(config=...), "config"),
        (image(config=[]), "config"),
        (image(layers=...), "layers"),
        (image(layers={}), "layers"),
        (image(layers=["x"]), "layers[0]"),
        (image(layers=[{"mediaType": LAYER, "size": 1}]), "layers[0].digest"),
        (image(layers=[descriptor(b"", size=-1)]), "layers[0].size"),
        (image(layers=[descriptor(b"", size=1.5)]), "layers[0].size"),
        (image(layers=[descriptor(b"", size=True)]), "layers[0].size"),
        (image(layers=[descriptor(b"", size=2**63)]), "layers[0].size"),
        (image(layers=[descriptor(b"", mediaType="")]), "layers[0].mediaType"),
        (image(layers=[descriptor(b"", digest="sha256:abc")]), "layers[0].digest"),
        (image(subject="x"), "subject"),
        (image(annotations={"a": 1}), "annotations"),
        (image(artifactType=7), "artifactType"),
    ],
)
def test_anything_else_is_refused_and_the_field_is_named(document: Any, told: str) -> None:
    content = document if isinstance(document, bytes) else encoded(document)
    with pytest.raises(ManifestInvalid) as refused:
        parse(content)
    assert told in str(refused.value)


def test_a_manifest_that_contradicts_the_request_is_refused() -> None:
    with pytest.raises(ManifestInvalid, match="media type"):
        parse(encoded(image()), DOCKER_MANIFEST)


def test_a_manifest_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ManifestInvalid, match=str(MAX_BYTES)):
        parse(b" " * (MAX_BYTES + 1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*sorted(image()), "manifests", "subject", "annotations"]), json_values))
def test_no_document_meets_anything_but_a_manifest_or_a_refusal(fields: dict[str, Any]) -> None:
    try:
        manifest = parse(encoded(image(**fields)))
    except ManifestInvalid:
        return
    assert manifest.digest == Digest.of(manifest.content)
