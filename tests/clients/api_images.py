"""Push through the API alone: InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage."""

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO


def upload_layer(ecr: Any, repository: str, content: BinaryIO) -> str:
    """Send a layer in parts of the size that Berth asks for; answer its digest."""
    digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    content.seek(0)
    upload = ecr.initiate_layer_upload(repositoryName=repository)
    named = {"repositoryName": repository, "uploadId": upload["uploadId"]}
    for first, part in _parts(content, upload["partSize"]):
        last = first + len(part) - 1
        sent = ecr.upload_layer_part(**named, partFirstByte=first, partLastByte=last, layerPartBlob=part)
        assert sent["lastByteReceived"] == last
    done = ecr.complete_layer_upload(**named, layerDigests=[digest])
    assert done["layerDigest"] == digest
    return digest


def put_small_image(ecr: Any, repository: str, tag: str, layer: bytes = b"freight") -> str:
    """Push an image whose layer does not matter; answer the digest of its manifest."""
    return put_image(ecr, repository, tag, layer)


def put_image(ecr: Any, repository: str, tag: str, layer: bytes) -> str:
    """Push an image of one layer; answer the digest of its manifest."""
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
    described = [
        {"mediaType": kind, "size": len(content), "digest": upload_layer(ecr, repository, io.BytesIO(content))}
        for kind, content in (
            ("application/vnd.oci.image.config.v1+json", config),
            ("application/vnd.oci.image.layer.v1.tar", layer),
        )
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described[0],
        "layers": described[1:],
    }
    put = ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
    digest: str = put["image"]["imageId"]["imageDigest"]
    return digest


def _parts(content: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    first = 0
    while part := content.read(size):
        yield first, part
        first += len(part)
