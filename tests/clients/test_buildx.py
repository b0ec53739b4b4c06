"""buildx: BuildKit builds for two platforms and pushes by itself, with attestations in the index."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .seeded import MIB, write_seeded
from .shell import Shell
from .stored import StoredImage, downloaded_digest, stored_image, whole

pytestmark = pytest.mark.clients("aws", "docker", "buildx", "moby-dockerd", "containerd")

PLATFORMS = "linux/amd64,linux/arm64"
ATTESTED = "vnd.docker.reference.digest"


@pytest.fixture
def buildx(shell: Shell, containerd_store_host: str, repository: Repository) -> Shell:
    """Open a shell whose build context has a file for all platforms and a name for each."""
    engine = shell.having(DOCKER_HOST=containerd_store_host, BUILDX_CONFIG=str(shell.folder / "buildx"))
    context = shell.folder / "context"
    context.mkdir()
    write_seeded(context / "cargo.bin", seed=5, size=2 * MIB)
    (context / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY cargo.bin /cargo-$TARGETARCH.bin\n")
    line = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    assert "Login Succeeded" in engine("sh", "-ec", line)
    return engine


def build(buildx: Shell, reference: str, *options: str) -> str:
    """Build for both platforms and push; answer the digest that BuildKit tells."""
    told = buildx.folder / "metadata.json"
    command = ["buildx", "build", "--platform", PLATFORMS, "--push", "--tag", reference, "--metadata-file", told]
    buildx(*command, *options, buildx.folder / "context")
    return str(json.loads(Path(told).read_text())["containerimage.digest"])


def images_of(index: StoredImage) -> dict[str, str]:
    """The digest of each platform's image."""
    entries = [entry for entry in index.manifest["manifests"] if ATTESTED not in entry.get("annotations", {})]
    return {entry["platform"]["architecture"]: entry["digest"] for entry in entries}


def test_an_index_of_two_platforms_is_built_and_pushed_with_its_attestations(
    buildx: Shell, repository: Repository, ecr: Any
) -> None:
    digest = build(buildx, f"{repository.uri}:built", "--provenance=mode=max")
    index = stored_image(ecr, repository.name, imageTag="built")
    assert index.digest == digest
    images = images_of(index)
    assert set(images) == {"amd64", "arm64"}
    attestations = {
        entry["annotations"][ATTESTED]: entry["digest"]
        for entry in index.manifest["manifests"]
        if ATTESTED in entry.get("annotations", {})
    }
    assert set(attestations) == set(images.values())
    for one in (*images.values(), *attestations.values()):
        whole(ecr, repository.name, imageDigest=one)
    inspected = buildx("buildx", "imagetools", "inspect", "--raw", f"{repository.uri}:built")
    assert inspected.strip() == index.text


def test_an_index_is_joined_of_pushed_images_without_a_layer_sent(
    buildx: Shell, repository: Repository, ecr: Any
) -> None:
    build(buildx, f"{repository.uri}:built", "--provenance=false")
    images = images_of(stored_image(ecr, repository.name, imageTag="built"))
    sources = [f"{repository.uri}@{digest}" for digest in images.values()]
    buildx("buildx", "imagetools", "create", "--tag", f"{repository.uri}:joined", *sources)
    assert images_of(stored_image(ecr, repository.name, imageTag="joined")) == images


def test_the_cache_of_a_build_is_kept_in_the_registry(buildx: Shell, repository: Repository, ecr: Any) -> None:
    cache = f"type=registry,ref={repository.uri}:cache,image-manifest=true,oci-mediatypes=true"
    first = build(buildx, f"{repository.uri}:first", "--provenance=false", "--cache-to", f"{cache},mode=max")
    # BuildKit's cache has a config of its own kind; every blob of it is there all the same
    for digest in stored_image(ecr, repository.name, imageTag="cache").blobs:
        assert downloaded_digest(ecr, repository.name, digest) == digest
    buildx("buildx", "prune", "--all", "--force")
    assert build(buildx, f"{repository.uri}:second", "--provenance=false", "--cache-from", cache) == first
