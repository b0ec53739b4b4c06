"""skopeo: copy out and in, inspect, list-tags, delete."""

from pathlib import Path
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .shell import ProgramFailed, Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "skopeo")

PLAIN = "--tls-verify=false"


@pytest.fixture
def skopeo(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("skopeo", "login", PLAIN, "-u", "AWS", "--password-stdin", repository.host, stdin=password)
    return shell


@pytest.fixture
def layout(scratch: Path, build_context: Path) -> layouts.Layout:
    return layouts.write_layout(scratch / "layout", build_context)


def test_an_index_is_copied_in_and_out_without_a_byte_changed(
    skopeo: Shell, repository: Repository, layout: layouts.Layout, ecr: Any
) -> None:
    out, remote = skopeo.folder / "out", f"docker://{repository.uri}:both"
    skopeo(
        "skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout.folder}:both", remote
    )
    assert stored_image(ecr, repository.name, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(ecr, repository.name, imageDigest=digest)

    skopeo("skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", remote, f"oci:{out}:both")
    assert layouts.blobs_of(out) == layouts.blobs_of(layout.folder)


def test_inspect_and_list_tags_tell_what_was_pushed_and_delete_removes_it(
    skopeo: Shell, repository: Repository, layout: layouts.Layout, ecr: Any
) -> None:
    for tag in ("b", "a"):
        source = f"oci:{layout.folder}:both"
        skopeo("skopeo", "copy", "--dest-tls-verify=false", source, f"docker://{repository.uri}:{tag}")
    inspected = skopeo.json("skopeo", "inspect", PLAIN, f"docker://{repository.uri}:a")
    stored = stored_image(ecr, repository.name, imageTag="a")
    assert inspected["Digest"] == stored.digest
    assert inspected["Layers"] == stored.blobs[1:]
    assert inspected["RepoTags"] == ["a", "b"]
    assert skopeo("skopeo", "inspect", "--raw", PLAIN, f"docker://{repository.uri}:a") == stored.text
    assert skopeo.json("skopeo", "list-tags", PLAIN, f"docker://{repository.uri}")["Tags"] == ["a", "b"]

    skopeo("skopeo", "delete", PLAIN, f"docker://{repository.uri}:a")
    with pytest.raises(ProgramFailed):
        skopeo("skopeo", "inspect", PLAIN, f"docker://{repository.uri}:a")
    assert ecr.list_images(repositoryName=repository.name)["imageIds"] == []
