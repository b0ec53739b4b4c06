"""What Berth holds, read through the API alone, to be compared with what a client says it pushed or pulled."""

import hashlib
import json
import urllib.request
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True)
class StoredImage:
    """A manifest as BatchGetImage answers it."""

    digest: str
    media_type: str
    text: str

    @property
    def manifest(self) -> Any:
        """The manifest, read."""
        return json.loads(self.text)

    @property
    def blobs(self) -> list[str]:
        """The digests of the config and the layers, in that order."""
        return [self.manifest["config"]["digest"], *(layer["digest"] for layer in self.manifest["layers"])]


def stored_image(ecr: Any, repository: str, **image_id: str) -> StoredImage:
    """Read the image that `imageTag=` or `imageDigest=` names; its digest is that of its bytes, or the test fails."""
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[image_id])
    assert answer["failures"] == []
    (image,) = answer["images"]
    digest = f"sha256:{hashlib.sha256(image['imageManifest'].encode()).hexdigest()}"
    assert image["imageId"]["imageDigest"] == digest
    return StoredImage(digest, image["imageManifestMediaType"], image["imageManifest"])


def downloaded_digest(ecr: Any, repository: str, digest: str) -> str:
    """Download a layer from where GetDownloadUrlForLayer says, and answer the digest of the bytes that came."""
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)["downloadUrl"]
    hashed = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as answer:
        while chunk := answer.read(MIB):
            hashed.update(chunk)
    return f"sha256:{hashed.hexdigest()}"


def whole(ecr: Any, repository: str, **image_id: str) -> StoredImage:
    """Read an image and every blob it names; fail unless each is there with the bytes that its digest promises."""
    image = stored_image(ecr, repository, **image_id)
    for digest in image.blobs:
        assert downloaded_digest(ecr, repository, digest) == digest
    return image
