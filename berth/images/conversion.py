"""A manifest in the other form that says the same: Docker's for OCI's, and OCI's for Docker's. Pure.

ECR user guide, "Amazon ECR image manifest conversion": an image that is asked for by its tag comes in a form that the
client accepts, where there is one. What is not an image that both forms can tell (an index, an artifact, a layer of a
type that one of them lacks) comes as it is stored.
"""

import json
from collections.abc import Collection
from typing import Any

from berth.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST

_OCI_OF_DOCKER = {
    DOCKER_MANIFEST: OCI_MANIFEST,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}
_DOCKER_OF_OCI = {oci: docker for docker, oci in _OCI_OF_DOCKER.items()}
_TYPES = {DOCKER_MANIFEST: _DOCKER_OF_OCI, OCI_MANIFEST: _OCI_OF_DOCKER}
_KNOWN = _OCI_OF_DOCKER.keys() | _DOCKER_OF_OCI.keys()
# Docker's form has no annotations: they are left out. An image that is an artifact or has a subject it cannot tell.
_DOCKER_DESCRIPTOR = ("mediaType", "size", "digest", "urls")
_ARTIFACT = {"artifactType", "subject"}


def converted(content: bytes, media_type: str, accepted: Collection[str]) -> tuple[bytes, str]:
    """The manifest and its media type: one of `accepted` where it is so or can become so; else as they are given."""
    target = {DOCKER_MANIFEST: OCI_MANIFEST, OCI_MANIFEST: DOCKER_MANIFEST}.get(media_type)
    if target is None or target not in accepted or media_type in accepted:
        return content, media_type
    document: dict[str, Any] = json.loads(content)
    descriptors = [document["config"], *document["layers"]]
    if _ARTIFACT & document.keys() or any(one["mediaType"] not in _KNOWN for one in descriptors):
        return content, media_type
    config, *layers = (_descriptor(one, target) for one in descriptors)
    same = {"schemaVersion": 2, "mediaType": target, "config": config, "layers": layers}
    return json.dumps(same, separators=(",", ":")).encode(), target


def _descriptor(descriptor: dict[str, Any], target: str) -> dict[str, Any]:
    names = _DOCKER_DESCRIPTOR if target == DOCKER_MANIFEST else descriptor.keys()
    kept = {name: descriptor[name] for name in names if name in descriptor}
    return kept | {"mediaType": _TYPES[target].get(kept["mediaType"], kept["mediaType"])}
