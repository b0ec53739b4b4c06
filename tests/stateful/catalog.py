"""A few images, indexes and artifacts that name each other: what the random sequences put and take away."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
SBOM, SIGNATURE = "application/spdx+json", "application/vnd.dev.cosign.artifact.sig.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Blob:
    """A layer or a config, and what the manifests call it."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Image:
    """An image, an index or an artifact; it is what its `manifest` says."""

    name: str
    media_type: str
    manifest: str
    blobs: tuple[Blob, ...] = ()
    children: "tuple[Image, ...]" = ()
    artifact_type: str | None = None
    subject: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest.encode())

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.manifest)}

    def __repr__(self) -> str:
        return self.name


def _image(name: str, media_type: str, config: Blob, *layers: Blob, artifact: str | None = None, **more: Any) -> Image:
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        **({"artifactType": artifact} if artifact else {}),
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
        **more,
    }
    subject, annotations = more.get("subject"), more.get("annotations", {})
    return Image(
        name,
        media_type,
        json.dumps(document),
        (config, *layers),
        artifact_type=artifact or config.media_type,
        subject=subject and subject["digest"],
        annotations=tuple(annotations.items()),
    )


def _index(name: str, media_type: str, *children: Image) -> Image:
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [child.descriptor for child in children],
    }
    return Image(name, media_type, json.dumps(document), children=children)


_BASE, _ONE, _TWO = (Blob(content, OCI_LAYER) for content in (b"the base layer", b"layer one", b"the second layer"))
_DOCKER = Blob(b"a layer of docker's", DOCKER_LAYER)
_NOTE = Blob(b"what is attached", "text/plain")
_NOTHING = Blob(b"{}", EMPTY)

ONE = _image("ONE", OCI_MANIFEST, Blob(b'{"one": 1}', OCI_CONFIG), _BASE, _ONE)
TWO = _image("TWO", OCI_MANIFEST, Blob(b'{"two": 22}', OCI_CONFIG), _BASE, _TWO, _TWO)
DOCKERS = _image("DOCKERS", DOCKER_MANIFEST, Blob(b'{"docker": 333}', DOCKER_CONFIG), _DOCKER)
BOTH = _index("BOTH", OCI_INDEX, ONE, TWO)
DOCKER_ONLY = _index("DOCKER_ONLY", DOCKER_LIST, DOCKERS)
NESTED = _index("NESTED", OCI_INDEX, BOTH, DOCKERS)
ABOUT_ONE = _image(
    "ABOUT_ONE", OCI_MANIFEST, _NOTHING, _NOTE, artifact=SBOM, subject=ONE.descriptor, annotations={"made.by": "a test"}
)
ABOUT_BOTH = _image("ABOUT_BOTH", OCI_MANIFEST, _NOTHING, _NOTE, artifact=SIGNATURE, subject=BOTH.descriptor)
ABOUT_BOTH_TOO = _image("ABOUT_BOTH_TOO", OCI_MANIFEST, _NOTHING, artifact=SBOM, subject=BOTH.descriptor)

IMAGES = (ONE, TWO, DOCKERS, BOTH, DOCKER_ONLY, NESTED, ABOUT_ONE, ABOUT_BOTH, ABOUT_BOTH_TOO)
BLOBS = tuple(dict.fromkeys(blob for image in IMAGES for blob in image.blobs))
ABSENT = "sha256:" + "a" * 64
