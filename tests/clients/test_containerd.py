"""containerd's own client, ctr: what Kubernetes' nodes do, without Kubernetes."""

import re
from pathlib import Path
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .shell import Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "ctr", "containerd")


def test_an_index_of_two_platforms_is_pushed_and_pulled_unchanged(
    shell: Shell, containerd_address: str, password: str, repository: Repository, build_context: Path, ecr: Any
) -> None:
    ctr = ("ctr", "--address", containerd_address)
    credentials = ["--plain-http", "--user", f"AWS:{password.strip()}"]
    layout, archive, tagged = shell.folder / "layout", shell.folder / "layout.tar", f"{repository.uri}:both"
    written = layouts.write_layout(layout, build_context)
    shell("tar", "-C", layout, "-cf", archive, "oci-layout", "index.json", "blobs")
    shell(*ctr, "images", "import", "--all-platforms", "--base-name", repository.uri, archive)
    shell(*ctr, "images", "push", *credentials, tagged)

    assert stored_image(ecr, repository.name, imageTag="both").digest == written.index
    for digest in written.images.values():
        whole(ecr, repository.name, imageDigest=digest)

    for reference in (tagged, f"{repository.uri}@{written.index}"):
        shell(*ctr, "images", "rm", "--sync", tagged)
        assert written.index not in shell(*ctr, "content", "ls")
        shell(*ctr, "images", "pull", "--all-platforms", *credentials, reference)
        content = shell(*ctr, "content", "ls", "--quiet").split()
        assert {f"sha256:{name}" for name in layouts.blobs_of(layout)} <= set(content)
        shell(*ctr, "images", "rm", "--sync", reference)


def test_a_layer_of_another_repository_is_mounted_not_sent(
    shell: Shell, containerd_address: str, password: str, repository: Repository, build_context: Path, ecr: Any
) -> None:
    ctr = ("ctr", "--address", containerd_address)
    credentials = ["--plain-http", "--user", f"AWS:{password.strip()}"]
    layout, archive = shell.folder / "layout", shell.folder / "layout.tar"
    written = layouts.write_layout(layout, build_context)
    shell("tar", "-C", layout, "-cf", archive, "oci-layout", "index.json", "blobs")
    shell(*ctr, "images", "import", "--all-platforms", "--base-name", repository.uri, archive)
    shell(*ctr, "images", "push", *credentials, f"{repository.uri}:both")
    # Only of what it has pulled itself does it know where it is.
    shell(*ctr, "images", "rm", "--sync", f"{repository.uri}:both")
    shell(*ctr, "images", "pull", *credentials, "--all-platforms", f"{repository.uri}:both")
    mounted = f"{repository.name}/mounted"
    ecr.create_repository(repositoryName=mounted)
    shell(*ctr, "images", "tag", f"{repository.uri}:both", f"{repository.uri}/mounted:both")
    push = ("ctr", "--debug", *ctr[1:], "images", "push", *credentials, f"{repository.uri}/mounted:both")
    said = shell("sh", "-ec", '"$@" 2>&1', "sh", *push)
    sent = re.findall(r'request\.method=(\w+).* url="[^"]*/mounted/(\w+)/([^"]*)"', said)
    assert {(method, kind) for method, kind, _ in sent} - {("HEAD", "manifests"), ("HEAD", "blobs")} == {
        ("POST", "blobs"),
        ("PUT", "manifests"),
    }
    assert all(f"&from={repository.name}" in path for method, _, path in sent if method == "POST")
    for digest in written.images.values():
        whole(ecr, mounted, imageDigest=digest)
    shell(*ctr, "images", "rm", "--sync", f"{repository.uri}:both", f"{repository.uri}/mounted:both")
    ecr.delete_repository(repositoryName=mounted, force=True)
