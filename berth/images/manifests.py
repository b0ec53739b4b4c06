"""What a manifest is: its media type, what it references, what it is about, what it weighs. Pure."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from berth.names import Digest, NameInvalid

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE_TYPES = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
INDEX_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
MEDIA_TYPES = IMAGE_TYPES | INDEX_TYPES

# ECR API reference, "PutImage", `imageManifest`.
MAX_BYTES = 4 * 1024 * 1024
# Layers that a client fetches from elsewhere (Docker image manifest v2 schema 2, "urls"): no registry need hold them.
FOREIGN_LAYER_TYPES = (
    "application/vnd.docker.image.rootfs.foreign.",
    "application/vnd.oci.image.layer.nondistributable.",
)
# What ECR says of a manifest that is no JSON, and of one whose media type neither it nor the request tells.
INVALID_SYNTAX = "Invalid JSON syntax"
_MAX_SIZE = 2**63 - 1
# RFC 6838 allows no more than 127 characters on either side of the slash; parameters are tolerated.
_MEDIA_TYPE = re.compile(r"[!-~ ]{1,255}")


class ManifestInvalid(Exception):
    """The text says which field is wrong, and what is allowed there."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """OCI Image 1.1, "Content Descriptors"; `size` in bytes."""

    media_type: str
    digest: Digest
    size: int

    @property
    def is_foreign(self) -> bool:
        return self.media_type.startswith(FOREIGN_LAYER_TYPES)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was put, byte for byte, and what it says."""

    content: bytes
    digest: Digest
    media_type: str
    artifact_type: str | None
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The config and the layers that the registry must hold."""
        config = () if self.config is None else (self.config,)
        return config + tuple(layer for layer in self.layers if not layer.is_foreign)

    @property
    def size(self) -> int:
        """What a pull of an image weighs without its manifest, in bytes. An index weighs what its images do."""
        return sum({blob.digest: blob.size for blob in self.blobs}.values())


def parse(content: bytes, media_type: str | None = None, *, algorithm: str = "sha256", guess: bool = True) -> Manifest:
    """Read the manifest in `content`, said to be of `media_type` (None: what it says of itself).

    One that says nothing of itself either is what it looks like, unless that is not to be guessed. Raises
    ManifestInvalid. OCI Image 1.1, "Image Manifest" and "Image Index"; Docker image manifest v2, schema 2.
    """
    if len(content) > MAX_BYTES:
        raise ManifestInvalid(f"the manifest has {len(content)} bytes; at most {MAX_BYTES} are allowed")
    document = _document(content)
    kind = _media_type(document, media_type, guess=guess)
    fields = _Fields(document)
    is_index = kind in INDEX_TYPES
    _check_form(document, kind)
    config = None if is_index else fields.descriptor("config")
    if not is_index and config is None:
        raise ManifestInvalid("'config' is missing")
    artifact_type = fields.media_type("artifactType")
    manifest = Manifest(
        content=content,
        digest=Digest.of(content, algorithm),
        media_type=kind,
        artifact_type=artifact_type or (config.media_type if config else None),
        config=config,
        layers=() if is_index else fields.descriptors("layers"),
        manifests=fields.descriptors("manifests") if is_index else (),
        subject=fields.descriptor("subject"),
        annotations=fields.annotations(),
    )
    if manifest.size > _MAX_SIZE:
        raise ManifestInvalid(f"the sizes of the config and the layers add up to more than {_MAX_SIZE} bytes")
    return manifest


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ManifestInvalid(INVALID_SYNTAX) from None
    if not isinstance(document, dict):
        raise ManifestInvalid("the manifest is not a JSON object")
    try:
        json.loads(content, object_pairs_hook=_unique)
    except RecursionError:
        raise ManifestInvalid("the manifest nests too deeply") from None
    version = document.get("schemaVersion")
    if type(version) is not int or version != 2:
        raise ManifestInvalid("'schemaVersion' must be 2")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> None:
    """Of a field that is there twice, one program reads the first and another the last: they see two manifests."""
    counted = Counter(name for name, _ in pairs)
    if len(counted) < len(pairs):
        raise ManifestInvalid(f"an object has the field '{counted.most_common(1)[0][0][:100]}' twice")


def _check_form(document: dict[str, Any], kind: str) -> None:
    its, others = (
        (("manifests",), ("config", "layers")) if kind in INDEX_TYPES else (("config", "layers"), ("manifests",))
    )
    for name in its:
        if name not in document:
            raise ManifestInvalid(f"'{name}' is missing: it is one of the fields of the media type '{kind}'")
    for name in others:
        if name in document:
            raise ManifestInvalid(f"'{name}' is none of the fields of the media type '{kind}'")


def _media_type(document: dict[str, Any], given: str | None, *, guess: bool) -> str:
    own = document.get("mediaType")
    if own is not None and not isinstance(own, str):
        raise ManifestInvalid("'mediaType' must be a string")
    if own and given and own != given:
        raise ManifestInvalid(
            f"the manifest says that its media type is '{own[:256]}', the request says '{given[:256]}'"
        )
    if not own and not given and not guess:
        raise ManifestInvalid(INVALID_SYNTAX)
    kind = own or given or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
    if kind not in MEDIA_TYPES:
        raise ManifestInvalid(f"the media type '{kind[:256]}' is none of {', '.join(sorted(MEDIA_TYPES))}")
    return kind


class _Fields:
    """The fields of a manifest, each checked as it is read."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def media_type(self, name: str) -> str | None:
        value = self._document.get(name)
        if value is not None and not (isinstance(value, str) and (not value or _MEDIA_TYPE.fullmatch(value))):
            raise ManifestInvalid(f"'{name}' must be a string of at most 255 printable ASCII characters")
        return value

    def descriptor(self, name: str) -> Descriptor | None:
        value = self._document.get(name)
        return None if value is None else _descriptor(name, value)

    def descriptors(self, name: str) -> tuple[Descriptor, ...]:
        value = self._document.get(name)
        if not isinstance(value, list):
            raise ManifestInvalid(f"'{name}' must be a list")
        return tuple(_descriptor(f"{name}[{position}]", item) for position, item in enumerate(value))

    def annotations(self) -> dict[str, str]:
        value = self._document.get("annotations")
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise ManifestInvalid("'annotations' must be an object of strings")
        if any("\0" in name or "\0" in text for name, text in value.items()):
            raise ManifestInvalid("'annotations' must not contain the character NUL")
        return value


def _descriptor(where: str, value: Any) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"'{where}' must be a descriptor")
    media_type, size = value.get("mediaType"), value.get("size")
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ManifestInvalid(f"'{where}.mediaType' must be a media type of at most 255 printable ASCII characters")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        raise ManifestInvalid(f"'{where}.size' must be a number of bytes")
    try:
        digest = Digest.parse(str(value.get("digest")))
    except NameInvalid as error:
        raise ManifestInvalid(f"'{where}.digest': {error}") from None
    return Descriptor(media_type, digest, size)
