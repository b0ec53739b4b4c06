"""crane: append, push, pull, copy, digest, ls, manifest, validate, delete."""

from pathlib import Path
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .shell import ProgramFailed, Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "crane")


@pytest.fixture
def crane(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("crane", "auth", "login", repository.host, "-u", "AWS", "--password-stdin", stdin=password)
    return shell


@pytest.fixture
def image_archive(crane: Shell, repository: Repository, build_context: Path) -> Path:
    """Make the image of busybox and 40 MiB without any engine."""
    layer, archive = crane.folder / "layer.tar", crane.folder / "image.tar"
    crane("tar", "-C", build_context, "-cf", layer, "busybox", "layer.bin")
    crane("crane", "append", "--oci-empty-base", "-f", layer, "-o", archive, "-t", f"{repository.uri}:archive")
    return archive


def test_an_image_is_pushed_and_pulled_unchanged(
    crane: Shell, repository: Repository, image_archive: Path, ecr: Any
) -> None:
    tagged, out = f"{repository.uri}:crane", crane.folder / "out"
    by_digest = crane("crane", "push", image_archive, tagged).strip()
    stored = whole(ecr, repository.name, imageTag="crane")
    assert by_digest == f"{repository.uri}@{stored.digest}"
    assert crane("crane", "digest", tagged).strip() == stored.digest
    assert crane("crane", "manifest", by_digest) == stored.text
    assert "PASS" in crane("crane", "validate", "--remote", tagged)

    crane("crane", "pull", "--format", "oci", by_digest, out)
    names = {digest.removeprefix("sha256:") for digest in (stored.digest, *stored.blobs)}
    assert layouts.blobs_of(out) == {name: name for name in names}


def test_an_index_of_two_platforms_is_copied_to_another_repository_and_deleted(
    crane: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    index = f"{repository.uri}:multi"
    layout = layouts.write_layout(crane.folder / "layout", build_context)
    # the layout's one tagged entry is the index of two platforms
    crane("crane", "push", "--index", layout.folder, f"{repository.uri}:outer")
    by_tag = ["-m", f"{repository.uri}@{layout.images['amd64']}", "-m", f"{repository.uri}@{layout.images['arm64']}"]
    crane("crane", "index", "append", *by_tag, "-t", index)
    digest = crane("crane", "digest", index).strip()
    for architecture, expected in layout.images.items():
        assert crane("crane", "digest", "--platform", f"linux/{architecture}", index).strip() == expected
    assert crane("crane", "ls", repository.uri).split() == ["multi", "outer"]

    copied = f"{repository.name}/copy"
    ecr.create_repository(repositoryName=copied)
    crane("crane", "copy", index, f"{repository.uri}/copy:multi")
    assert stored_image(ecr, copied, imageTag="multi").digest == digest
    for image in layout.images.values():
        whole(ecr, copied, imageDigest=image)

    crane("crane", "delete", f"{repository.uri}/copy@{digest}")
    with pytest.raises(ProgramFailed):
        crane("crane", "digest", f"{repository.uri}/copy:multi")
    assert crane("crane", "digest", index).strip() == digest
    ecr.delete_repository(repositoryName=copied, force=True)
