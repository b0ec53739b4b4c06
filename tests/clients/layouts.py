"""An OCI image layout on disk: two platforms, one with 40 MiB, made here so that every byte is known beforehand."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Layout:
    """A layout's folder, the digest of its index (tagged `both`) and of each platform's manifest."""

    folder: Path
    index: str
    images: dict[str, str]

    def text(self, digest: str) -> str:
        """The manifest with this digest, as it was written."""
        return (self.folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_text()


def write_layout(folder: Path, build_context: Path) -> Layout:
    """Write the layout: amd64 holds busybox and the 40 MiB, uncompressed; arm64 holds busybox, compressed."""
    (folder / "blobs/sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    busybox = _tar(build_context / "busybox", "bin/busybox")
    compressed = _put(folder, gzip.compress(busybox, 1, mtime=0), f"{OCI}.layer.v1.tar+gzip")
    plain = _put(folder, _tar(build_context / "layer.bin", "layer.bin"), f"{OCI}.layer.v1.tar")
    diffs = [_digest(busybox), plain["digest"]]
    images = {
        "amd64": _image(folder, "amd64", [compressed, plain], diffs),
        "arm64": _image(folder, "arm64", [compressed], diffs[:1]),
    }
    entries = [image | {"platform": {"architecture": name, "os": "linux"}} for name, image in images.items()]
    index = _put_json(folder, {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": entries})
    top = index | {"annotations": {"org.opencontainers.image.ref.name": "both"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    return Layout(folder, index["digest"], {name: image["digest"] for name, image in images.items()})


def blobs_of(folder: Path) -> dict[str, str]:
    """The blobs of a layout by name, each with the SHA-256 of its bytes as they are now."""
    found = {}
    for path in (folder / "blobs/sha256").iterdir():
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _image(folder: Path, architecture: str, layers: list[dict[str, Any]], diffs: list[str]) -> dict[str, Any]:
    rootfs = {"type": "layers", "diff_ids": diffs}
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    described = _put(folder, config, f"{OCI}.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": described, "layers": layers}
    return _put_json(folder, manifest)


def _put_json(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    return _put(folder, json.dumps(document).encode(), document["mediaType"])


def _put(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = _digest(content)
    (folder / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _tar(path: Path, name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = path.stat().st_size, 0o755
        with path.open("rb") as file:
            archive.addfile(entry, file)
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
