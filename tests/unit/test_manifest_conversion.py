"""A manifest in the other form says the same, and one that it cannot tell stays as it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.images.conversion import converted
from berth.images.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, parse

# The same things in both forms: a config, and layers.
CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
LAYERS = [
    ("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"),
    ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ),
]
FORMS = (OCI_MANIFEST, DOCKER_MANIFEST)


def descriptor(media_type: str, size: int, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{size:064x}", "size": size, **more}


def image(form: int, kinds: list[int], **more: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": FORMS[form],
        "config": descriptor(CONFIGS[form], 2),
        "layers": [descriptor(LAYERS[kind][form], place) for place, kind in enumerate(kinds)],
        **more,
    }
    return json.dumps(document).encode()


@given(form=st.sampled_from([0, 1]), layers=st.lists(st.sampled_from([0, 1, 2]), max_size=5))
def test_an_image_in_the_other_form_has_the_same_config_and_layers_and_comes_back(form: int, layers: list[int]) -> None:
    ours, theirs = FORMS[form], FORMS[1 - form]
    content, media_type = converted(image(form, layers), ours, [theirs])
    assert media_type == theirs
    assert json.loads(content) == json.loads(image(1 - form, layers))
    before, after = parse(image(form, layers)), parse(content)
    assert [(blob.digest, blob.size) for blob in after.blobs] == [(blob.digest, blob.size) for blob in before.blobs]
    back, media_type = converted(content, theirs, [ours])
    assert (json.loads(back), media_type) == (json.loads(image(form, layers)), ours)


@pytest.mark.parametrize("form", [0, 1])
def test_what_is_accepted_as_it_is_comes_byte_for_byte(form: int) -> None:
    content = image(form, [1]) + b"\n"
    for accepted in ([], [FORMS[form]], list(FORMS), ["application/json"], [OCI_INDEX]):
        assert converted(content, FORMS[form], accepted) == (content, FORMS[form])


@pytest.mark.parametrize(
    "more",
    [
        {"artifactType": "application/vnd.example"},
        {"subject": descriptor(OCI_MANIFEST, 7)},
        {"config": descriptor("application/vnd.cncf.helm.config.v1+json", 2)},
        {"layers": [descriptor("application/vnd.oci.image.layer.v1.tar+zstd", 9)]},
    ],
)
def test_what_docker_cannot_tell_comes_as_it_is(more: dict[str, Any]) -> None:
    content = image(0, [1], **more)
    assert converted(content, OCI_MANIFEST, [DOCKER_MANIFEST]) == (content, OCI_MANIFEST)


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_comes_as_it_is(media_type: str) -> None:
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": []}).encode()
    assert converted(content, media_type, [OCI_MANIFEST, DOCKER_MANIFEST]) == (content, media_type)


def test_docker_gets_no_annotations_and_keeps_where_a_layer_is_fetched_from() -> None:
    foreign = descriptor(LAYERS[2][0], 3, urls=["https://example.com/layer"], annotations={"a": "b"})
    content = image(0, [], annotations={"c": "d"}, layers=[foreign])
    (document, _) = converted(content, OCI_MANIFEST, [DOCKER_MANIFEST])
    assert json.loads(document)["layers"] == [descriptor(LAYERS[2][1], 3, urls=["https://example.com/layer"])]
    assert "annotations" not in json.loads(document)


def test_types_of_docker_in_an_image_of_oci_stay_those_of_docker() -> None:
    content = image(0, [], layers=[descriptor(LAYERS[1][1], 3)])
    document, _ = converted(content, OCI_MANIFEST, [DOCKER_MANIFEST])
    assert json.loads(document)["layers"] == [descriptor(LAYERS[1][1], 3)]
