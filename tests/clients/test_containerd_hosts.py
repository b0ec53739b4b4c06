"""containerd with a folder of hosts.toml files, as on a Kubernetes node: images keep their names, Berth answers."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.berth_process import BerthProcess

from . import layouts
from .conftest import Repository
from .shell import ProgramFailed, Shell
from .small import small_layout
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "ctr", "containerd")

ELSEWHERE = "eu-central-1"


@dataclass(frozen=True)
class Node:
    """A node's containerd, with the folder of what it knows of registries."""

    shell: Shell
    address: str
    hosts: Path
    password: str

    def knows(self, registry: str, *lines: str) -> None:
        """Write the hosts.toml of the registry that images name."""
        (self.hosts / registry).mkdir(parents=True)
        (self.hosts / registry / "hosts.toml").write_text("\n".join(lines) + "\n")

    def images(self, verb: str, *arguments: str) -> str:
        return self.shell("ctr", "--address", self.address, "images", verb, *arguments)

    def moves(self, verb: str, *arguments: str) -> None:
        """Pull or push by what the node knows."""
        self.images(verb, "--hosts-dir", str(self.hosts), "--user", f"AWS:{self.password}", *arguments)

    def blobs(self) -> set[str]:
        return set(self.shell("ctr", "--address", self.address, "content", "ls", "--quiet").split())


@pytest.fixture
def node(shell: Shell, containerd_address: str, password: str) -> Node:
    return Node(shell, containerd_address, shell.folder / "certs.d", password.strip())


@pytest.fixture
def layout(node: Node) -> layouts.Layout:
    """Import the layout as example.test/cargo:both."""
    written = small_layout(node.shell.folder)
    archive = node.shell.folder / "layout.tar"
    node.shell("tar", "-C", written.folder, "-cf", archive, "oci-layout", "index.json", "blobs")
    node.images("import", "--all-platforms", "--base-name", "example.test/cargo", str(archive))
    return written


@pytest.fixture
def elsewhere(exports: dict[str, str]) -> Iterator[Any]:
    """Make a client of the account's registry in another region."""
    client = boto3.client(
        "ecr",
        endpoint_url=exports["AWS_ENDPOINT_URL_ECR"],
        region_name=ELSEWHERE,
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )
    yield client
    client.close()


def check_a_push_and_a_pull(node: Node, reference: str, layout: layouts.Layout) -> None:
    node.images("tag", "example.test/cargo:both", reference)
    node.moves("push", reference)
    node.images("rm", "--sync", "example.test/cargo:both", reference)
    assert layout.index not in node.blobs()
    node.moves("pull", "--all-platforms", reference)
    assert {f"sha256:{name}" for name in layouts.blobs_of(layout.folder)} <= node.blobs()
    node.images("rm", "--sync", reference)


def test_a_name_of_another_host_is_pushed_to_and_pulled_from_the_default_registry(
    node: Node, layout: layouts.Layout, repository: Repository, ecr: Any
) -> None:
    berth = f"http://{repository.host}"
    node.knows(
        "images.example.test", f'server = "{berth}"', f'[host."{berth}"]', 'capabilities = ["pull", "resolve", "push"]'
    )
    check_a_push_and_a_pull(node, f"images.example.test/{repository.name}:both", layout)
    assert stored_image(ecr, repository.name, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(ecr, repository.name, imageDigest=digest)


def test_the_host_of_an_amazon_registry_is_served_from_that_registry_in_path_style(
    node: Node, layout: layouts.Layout, running_berth: BerthProcess, elsewhere: Any
) -> None:
    name = f"clients/{uuid.uuid4().hex[:12]}"
    created = elsewhere.create_repository(repositoryName=name)["repository"]
    registry = f"{created['registryId']}.dkr.ecr.{ELSEWHERE}.amazonaws.com"
    berth = f"{running_berth.registry_url}/v2/{created['registryId']}/{ELSEWHERE}"
    capabilities = 'capabilities = ["pull", "resolve", "push"]'
    node.knows(registry, f'server = "{berth}"', f'[host."{berth}"]', capabilities, "override_path = true")
    check_a_push_and_a_pull(node, f"{registry}/{name}:both", layout)
    assert stored_image(elsewhere, name, imageTag="both").digest == layout.index
    elsewhere.delete_repository(repositoryName=name, force=True)


def test_a_host_that_may_only_resolve_and_pull_is_not_pushed_to(
    node: Node, layout: layouts.Layout, repository: Repository, ecr: Any
) -> None:
    nobody, berth = "http://127.0.0.1:9", f"http://{repository.host}"
    node.knows("mirror.example.test", f'server = "{nobody}"', f'[host."{berth}"]', 'capabilities = ["pull", "resolve"]')
    reference = f"mirror.example.test/{repository.name}:both"
    node.images("tag", "example.test/cargo:both", reference)
    with pytest.raises(ProgramFailed):
        node.moves("push", reference)
    assert ecr.list_images(repositoryName=repository.name)["imageIds"] == []
    node.images("rm", "--sync", "example.test/cargo:both", reference)
