"""oras: artifacts, what is attached to them, and how it is found."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "oras")

PLAIN = "--plain-http"
KIND = "application/vnd.example.cargo"


@pytest.fixture
def oras(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("oras", "login", PLAIN, "-u", "AWS", "--password-stdin", repository.host, stdin=password)
    return shell


@pytest.fixture
def cargo(oras: Shell, repository: Repository, build_context: Path) -> str:
    """Push 40 MiB as an artifact; answer its reference."""
    (oras.folder / "cargo.bin").symlink_to(build_context / "layer.bin")
    reference = f"{repository.uri}:cargo"
    oras("oras", "push", PLAIN, "--artifact-type", KIND, reference, "cargo.bin:application/octet-stream")
    return reference


def test_an_artifact_is_pushed_and_pulled_unchanged(oras: Shell, cargo: str, repository: Repository, ecr: Any) -> None:
    stored = whole(ecr, repository.name, imageTag="cargo")
    assert oras("oras", "resolve", PLAIN, cargo).strip() == stored.digest
    assert oras("oras", "manifest", "fetch", PLAIN, cargo).strip() == stored.text
    oras("oras", "pull", PLAIN, "-o", "out", f"{repository.uri}@{stored.digest}")
    with (oras.folder / "out/cargo.bin").open("rb") as pulled:
        assert f"sha256:{hashlib.file_digest(pulled, 'sha256').hexdigest()}" == stored.blobs[1]
    assert oras("oras", "repo", "tags", PLAIN, repository.uri).split() == ["cargo"]


def test_what_is_attached_is_discovered_through_the_referrers_api(
    oras: Shell, cargo: str, repository: Repository, ecr: Any
) -> None:
    subject = stored_image(ecr, repository.name, imageTag="cargo").digest
    kinds = {"application/vnd.example.sbom", "application/vnd.example.signature"}
    for kind in kinds:
        document = oras.folder / f"{kind.rsplit('.', 1)[1]}.json"
        document.write_text(f'{{"kind": "{kind}"}}')
        oras("oras", "attach", PLAIN, "--artifact-type", kind, cargo, f"{document.name}:application/json")

    discover = ["oras", "discover", PLAIN, "--format", "json", "--distribution-spec", "v1.1-referrers-api"]
    found = oras.json(*discover, cargo)["referrers"]
    assert {entry["artifactType"] for entry in found} == kinds
    (sbom,) = oras.json(*discover, "--artifact-type", "application/vnd.example.sbom", cargo)["referrers"]
    attached = whole(ecr, repository.name, imageDigest=sbom["digest"])
    assert attached.manifest["subject"]["digest"] == subject
    # no tag of the fallback scheme was needed
    assert oras("oras", "repo", "tags", PLAIN, repository.uri).split() == ["cargo"]


def test_an_artifact_and_all_attached_to_it_is_copied_to_another_repository(
    oras: Shell, cargo: str, repository: Repository, ecr: Any
) -> None:
    (oras.folder / "note.txt").write_text("fragile")
    oras("oras", "attach", PLAIN, "--artifact-type", "application/vnd.example.note", cargo, "note.txt:text/plain")
    copied = f"{repository.name}/copy"
    ecr.create_repository(repositoryName=copied)
    plain = ["--from-plain-http", "--to-plain-http"]
    oras("oras", "copy", "--recursive", *plain, cargo, f"{repository.uri}/copy:cargo")
    assert whole(ecr, copied, imageTag="cargo") == stored_image(ecr, repository.name, imageTag="cargo")
    found = oras.json("oras", "discover", PLAIN, "--format", "json", f"{repository.uri}/copy:cargo")["referrers"]
    assert [entry["artifactType"] for entry in found] == ["application/vnd.example.note"]
    ecr.delete_repository(repositoryName=copied, force=True)
