"""podman: build, push, pull, and an index of two platforms."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "podman", "busybox")

PLAIN = "--tls-verify=false"


@pytest.fixture
def podman(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("podman", "login", PLAIN, "-u", "AWS", "--password-stdin", repository.host, stdin=password)
    return shell


def inspect(podman: Shell, reference: str) -> Any:
    (image,) = podman.json("podman", "image", "inspect", reference)
    return image


def test_an_image_is_pushed_and_pulled_by_tag_and_by_digest_unchanged(
    podman: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    tagged, digest_file = f"{repository.uri}:podman", podman.folder / "digest"
    podman("podman", "build", "-t", tagged, build_context)
    built = inspect(podman, tagged)
    podman("podman", "push", PLAIN, "--digestfile", digest_file, tagged)
    digest = digest_file.read_text()

    stored = whole(ecr, repository.name, imageTag="podman")
    assert (stored.digest, stored.blobs[0]) == (digest, f"sha256:{built['Id']}")

    for reference in (tagged, f"{repository.uri}@{digest}"):
        podman("podman", "rmi", "--force", built["Id"])
        podman("podman", "pull", PLAIN, reference)
        pulled = inspect(podman, reference)
        assert (pulled["Id"], pulled["Digest"], pulled["RootFS"]) == (built["Id"], digest, built["RootFS"])


def test_an_index_of_two_platforms_gives_each_platform_its_image(
    podman: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    index, digest_file = f"{repository.uri}:multi", podman.folder / "digest"
    folders = {"amd64": build_context, "arm64": build_context / "small"}
    podman("podman", "manifest", "create", "both")
    for architecture, folder in folders.items():
        podman("podman", "build", "--platform", f"linux/{architecture}", "--manifest", "both", folder)
    podman("podman", "manifest", "push", "--all", PLAIN, "--digestfile", digest_file, "both", f"docker://{index}")

    stored = stored_image(ecr, repository.name, imageTag="multi")
    assert stored.digest == digest_file.read_text()
    podman("podman", "rmi", "--all", "--force")
    for entry in stored.manifest["manifests"]:
        architecture = entry["platform"]["architecture"]
        image = whole(ecr, repository.name, imageDigest=entry["digest"])
        podman("podman", "pull", PLAIN, "--platform", f"linux/{architecture}", index)
        assert f"sha256:{inspect(podman, index)['Id']}" == image.blobs[0]
