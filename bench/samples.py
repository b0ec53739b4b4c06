"""What is pushed and pulled: a small image whose layer has 10 KiB, and layers of 100 MiB, none like another."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache

KIB, MIB, GIB = 1024, 1024**2, 1024**3
SMALL_BYTES = 10 * KIB
LARGE_BYTES = 100 * MIB
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
REPOSITORY = "bench/image"
TAG = "latest"
# Where an image has referrers, and which one it is; it need not be there itself.
REFERRED = "bench/referred"
SUBJECT = f"sha256:{'5' * 64}"
_MARK_BYTES = 16


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest and the two blobs that it names."""

    layer: bytes
    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def blobs(self) -> tuple[bytes, bytes]:
        return self.layer, self.config


def small_image() -> Image:
    """A new one at each call."""
    layer = os.urandom(SMALL_BYTES)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    return Image(layer, config, json.dumps(manifest).encode())


def _descriptor(media_type: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


@dataclass(frozen=True, slots=True)
class LargeLayer:
    """100 MiB: parts that all layers share, which are hashed once, and at the end 16 bytes of its own."""

    parts: tuple[memoryview, ...]
    digest: str

    @property
    def size(self) -> int:
        return sum(len(part) for part in self.parts)


def large_layer() -> LargeLayer:
    """A new one at each call."""
    shared, hashed = _shared_bytes()
    mark = os.urandom(_MARK_BYTES)
    whole = hashed.copy()
    whole.update(mark)
    return LargeLayer((memoryview(shared), memoryview(mark)), f"sha256:{whole.hexdigest()}")


@cache
def _shared_bytes() -> tuple[bytes, "hashlib._Hash"]:
    shared = os.urandom(LARGE_BYTES - _MARK_BYTES)
    return shared, hashlib.sha256(shared)
