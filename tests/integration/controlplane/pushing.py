"""Images pushed through the API alone, and the documents in them."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tests.integration.controlplane.conftest import Api

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Pushed:
    """An image that a repository has."""

    manifest: str
    digest: str
    size: int


async def push_layer(api: Api, repository: str, content: bytes) -> str:
    """Upload a layer of one part and return its digest."""
    begun = await api.initiate_layer_upload(repositoryName=repository)
    await api.upload_layer_part(
        repositoryName=repository,
        uploadId=begun["uploadId"],
        partFirstByte=0,
        partLastByte=len(content) - 1,
        layerPartBlob=content,
    )
    digest = digest_of(content)
    done = await api.complete_layer_upload(repositoryName=repository, uploadId=begun["uploadId"], layerDigests=[digest])
    assert done["layerDigest"] == digest
    return digest


def manifest_of(config: bytes, layers: list[bytes], **more: Any) -> str:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer)} for layer in layers],
        **more,
    }
    return json.dumps(document)


def index_of(*images: Pushed) -> str:
    manifests = [{"mediaType": OCI_MANIFEST, "digest": image.digest, "size": len(image.manifest)} for image in images]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})


async def push_image(api: Api, repository: str, *tags: str, seed: str = "image", **more: Any) -> Pushed:
    """Push a small image with these tags; another `seed` makes another image."""
    config, layer = json.dumps({"seed": seed}).encode(), f"layer of {seed}".encode()
    for content in (config, layer):
        if not await has_layer(api, repository, digest_of(content)):
            await push_layer(api, repository, content)
    manifest = manifest_of(config, [layer], **more)
    for tag in tags or (None,):
        tagged = {"imageTag": tag} if tag else {}
        await api.put_image(repositoryName=repository, imageManifest=manifest, **tagged)
    return Pushed(manifest, digest_of(manifest.encode()), len(config) + len(layer))


async def has_layer(api: Api, repository: str, digest: str) -> bool:
    checked = await api.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    return bool(checked["layers"][0]["layerAvailability"] == "AVAILABLE")
