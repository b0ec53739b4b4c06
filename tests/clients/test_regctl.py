"""regctl: copy, tags, manifests, blobs, and artifacts that refer to an image."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .seeded import MIB, write_seeded
from .shell import ProgramFailed, Shell
from .small import small_layout
from .stored import downloaded_digest, stored_image, whole

pytestmark = pytest.mark.clients("aws", "regctl")

SBOM, NOTE = "application/vnd.example.sbom", "application/vnd.example.note"


@pytest.fixture
def regctl(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("regctl", "registry", "set", repository.host, "--skip-check", "--tls", "disabled")
    shell("regctl", "registry", "login", repository.host, "-u", "AWS", "--pass-stdin", stdin=password.strip())
    return shell


@pytest.fixture
def layout(scratch: Path) -> layouts.Layout:
    return small_layout(scratch)


@pytest.fixture
def pushed(regctl: Shell, repository: Repository, layout: layouts.Layout) -> str:
    """Copy the layout to the repository; answer its reference."""
    tagged = f"{repository.uri}:both"
    regctl("regctl", "image", "copy", f"ocidir://{layout.folder}:both", tagged)
    return tagged


def test_an_index_is_copied_in_and_out_and_across_without_a_byte_changed(
    regctl: Shell, repository: Repository, layout: layouts.Layout, pushed: str, ecr: Any
) -> None:
    assert stored_image(ecr, repository.name, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(ecr, repository.name, imageDigest=digest)
    out = regctl.folder / "out"
    regctl("regctl", "image", "copy", pushed, f"ocidir://{out}:both")
    assert layouts.blobs_of(out) == layouts.blobs_of(layout.folder)

    copied = f"{repository.name}/copy"
    ecr.create_repository(repositoryName=copied)
    regctl("regctl", "image", "copy", pushed, f"{repository.uri}/copy:both")
    assert stored_image(ecr, copied, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(ecr, copied, imageDigest=digest)
    ecr.delete_repository(repositoryName=copied, force=True)


def test_manifests_are_read_by_tag_digest_and_platform(
    regctl: Shell, repository: Repository, layout: layouts.Layout, pushed: str
) -> None:
    assert regctl("regctl", "image", "digest", pushed).strip() == layout.index
    for architecture, digest in layout.images.items():
        platform = ["--platform", f"linux/{architecture}", pushed]
        assert regctl("regctl", "image", "digest", *platform).strip() == digest
        assert regctl("regctl", "manifest", "get", "--format", "raw-body", *platform) == layout.text(digest)
    by_digest = f"{repository.uri}@{layout.index}"
    assert regctl("regctl", "manifest", "get", "--format", "raw-body", by_digest) == layout.text(layout.index)
    assert f"Docker-Content-Digest: {layout.index}" in regctl(
        "regctl", "manifest", "head", "--format", "rawHeaders", pushed
    )


def test_tags_are_listed_in_pages_and_removed(
    regctl: Shell, repository: Repository, layout: layouts.Layout, pushed: str, ecr: Any
) -> None:
    for tag in ("a", "c"):
        regctl("regctl", "image", "copy", pushed, f"{repository.uri}:{tag}")
    assert regctl("regctl", "tag", "ls", repository.uri).split() == ["a", "both", "c"]
    assert repository.name in regctl("regctl", "repo", "ls", repository.host).split()
    assert regctl("regctl", "tag", "ls", "--limit", "2", repository.uri).split() == ["a", "both"]
    assert regctl("regctl", "tag", "ls", "--last", "both", repository.uri).split() == ["c"]
    regctl("regctl", "tag", "delete", f"{repository.uri}:c")
    assert regctl("regctl", "tag", "ls", repository.uri).split() == ["a", "both"]
    assert stored_image(ecr, repository.name, imageTag="a").digest == layout.index
    with pytest.raises(ProgramFailed):
        regctl("regctl", "manifest", "head", f"{repository.uri}:c")


def test_a_blob_is_put_in_chunks_and_read_back(regctl: Shell, repository: Repository, pushed: str, ecr: Any) -> None:
    content = write_seeded(regctl.folder / "content", seed=9, size=5 * MIB)
    digest = f"sha256:{hashlib.sha256(content.read_bytes()).hexdigest()}"
    regctl("regctl", "registry", "set", repository.host, "--blob-chunk", str(MIB), "--blob-max", "1")
    assert digest in regctl("sh", "-ec", f"regctl blob put {repository.uri} < content")
    regctl("sh", "-ec", f"regctl blob get {repository.uri} {digest} > back")
    assert (regctl.folder / "back").read_bytes() == content.read_bytes()
    assert f"Docker-Content-Digest: {digest}" in regctl("regctl", "blob", "head", repository.uri, digest)
    # a layer that a manifest names is given by the API, too
    manifest = stored_image(ecr, repository.name, imageTag="both").manifest["manifests"][0]["digest"]
    layer = stored_image(ecr, repository.name, imageDigest=manifest).blobs[1]
    assert downloaded_digest(ecr, repository.name, layer) == layer


def test_artifacts_that_refer_to_an_image_are_found_by_kind_and_copied_with_it(
    regctl: Shell, repository: Repository, layout: layouts.Layout, pushed: str, ecr: Any
) -> None:
    for kind in (SBOM, NOTE):
        put = ["regctl", "artifact", "put", "--artifact-type", kind, "--subject", pushed]
        regctl(*put, stdin=f"about {layout.index}: {kind}")
    listed = regctl.json("regctl", "artifact", "list", "--format", "body", pushed)["manifests"]
    assert {entry["artifactType"] for entry in listed} == {SBOM, NOTE}
    (sbom,) = regctl.json("regctl", "artifact", "list", "--filter-artifact-type", SBOM, "--format", "body", pushed)[
        "manifests"
    ]
    assert whole(ecr, repository.name, imageDigest=sbom["digest"]).manifest["subject"]["digest"] == layout.index
    got = regctl("regctl", "artifact", "get", "--subject", pushed, "--filter-artifact-type", SBOM)
    assert got == f"about {layout.index}: {SBOM}"
    # no tag of the fallback scheme was needed
    assert regctl("regctl", "tag", "ls", repository.uri).split() == ["both"]

    copied = f"{repository.name}/copy"
    ecr.create_repository(repositoryName=copied)
    regctl("regctl", "image", "copy", "--referrers", pushed, f"{repository.uri}/copy:both")
    there = regctl.json("regctl", "artifact", "list", "--format", "body", f"{repository.uri}/copy:both")["manifests"]
    assert {entry["digest"] for entry in there} == {entry["digest"] for entry in listed}
    ecr.delete_repository(repositoryName=copied, force=True)
