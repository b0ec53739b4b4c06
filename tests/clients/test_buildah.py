"""buildah: build without an engine, push, pull."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "buildah", "busybox")

PLAIN = "--tls-verify=false"


@pytest.fixture
def buildah(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("buildah", "login", PLAIN, "-u", "AWS", "--password-stdin", repository.host, stdin=password)
    return shell


def test_an_image_is_pushed_and_pulled_by_tag_and_by_digest_unchanged(
    buildah: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    tagged, digest_file = f"{repository.uri}:buildah", buildah.folder / "digest"
    buildah("buildah", "build", "-t", tagged, build_context)
    image_id = buildah("buildah", "images", "--no-trunc", "--quiet", tagged).strip()
    buildah("buildah", "push", PLAIN, "--digestfile", digest_file, tagged, f"docker://{tagged}")

    stored = whole(ecr, repository.name, imageTag="buildah")
    assert (stored.digest, stored.blobs[0]) == (digest_file.read_text(), image_id)

    for reference in (tagged, f"{repository.uri}@{stored.digest}"):
        buildah("buildah", "rmi", "--all", "--force")
        buildah("buildah", "pull", PLAIN, reference)
        inspected = buildah.json("buildah", "inspect", "--type", "image", reference)
        assert (f"sha256:{inspected['FromImageID']}", inspected["FromImageDigest"]) == (image_id, stored.digest)


def test_an_index_of_two_platforms_is_pushed_as_it_was_built(
    buildah: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    index, digest_file = f"{repository.uri}:multi", buildah.folder / "digest"
    for architecture, folder in {"amd64": build_context, "arm64": build_context / "small"}.items():
        buildah("buildah", "build", "--platform", f"linux/{architecture}", "--manifest", "both", folder)
    buildah("buildah", "manifest", "push", "--all", PLAIN, "--digestfile", digest_file, "both", f"docker://{index}")

    stored = stored_image(ecr, repository.name, imageTag="multi")
    assert stored.digest == digest_file.read_text()
    platforms = {entry["platform"]["architecture"]: entry["digest"] for entry in stored.manifest["manifests"]}
    assert set(platforms) == {"amd64", "arm64"}
    for digest in platforms.values():
        whole(ecr, repository.name, imageDigest=digest)
