"""Docker with the containerd image store, where a manifest and an index keep their bytes in the engine too."""

import json
import tarfile
from typing import Any

import pytest

from . import layouts
from .conftest import Repository
from .shell import ProgramFailed, Shell
from .small import small_layout
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "docker", "moby-dockerd", "containerd")


@pytest.fixture
def docker(shell: Shell, containerd_store_host: str, repository: Repository) -> Shell:
    engine = shell.having(DOCKER_HOST=containerd_store_host)
    line = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    assert "Login Succeeded" in engine("sh", "-ec", line)
    return engine


@pytest.fixture
def loaded(docker: Shell, repository: Repository) -> layouts.Layout:
    """Give the engine an index of two platforms, named for the repository."""
    layout = small_layout(docker.folder)
    top = json.loads((layout.folder / "index.json").read_text())
    # containerd takes the image's whole name from here
    top["manifests"][0]["annotations"]["io.containerd.image.name"] = f"{repository.uri}:both"
    (layout.folder / "index.json").write_text(json.dumps(top))
    archive = docker.folder / "layout.tar"
    docker("tar", "-C", layout.folder, "-cf", archive, "oci-layout", "index.json", "blobs")
    docker("docker", "load", "--input", archive)
    return layout


def saved_blobs(docker: Shell, reference: str) -> dict[str, str]:
    """Hash the blobs of `docker save`, which is an OCI layout here."""
    archive, folder = docker.folder / "saved.tar", docker.folder / "saved"
    docker("docker", "save", "--output", archive, reference)
    with tarfile.open(archive) as saved:
        saved.extractall(folder, filter="data")
    return layouts.blobs_of(folder)


def test_an_index_of_two_platforms_is_pushed_and_pulled_byte_for_byte(
    docker: Shell, loaded: layouts.Layout, repository: Repository, ecr: Any
) -> None:
    tagged, by_digest = f"{repository.uri}:both", f"{repository.uri}@{loaded.index}"
    assert f"digest: {loaded.index} " in docker("docker", "push", tagged)
    assert stored_image(ecr, repository.name, imageTag="both").text == loaded.text(loaded.index)
    for digest in loaded.images.values():
        whole(ecr, repository.name, imageDigest=digest)

    for reference in (tagged, by_digest):
        docker("docker", "image", "rm", "--force", loaded.index)
        with pytest.raises(ProgramFailed):
            docker("docker", "image", "inspect", loaded.index)
        for architecture in loaded.images:
            docker("docker", "pull", "--platform", f"linux/{architecture}", reference)
        (pulled,) = docker.json("docker", "image", "inspect", reference)
        assert pulled["Id"] == loaded.index
        assert pulled["RepoDigests"] == [by_digest]
        assert saved_blobs(docker, reference) == layouts.blobs_of(loaded.folder)
    docker("docker", "image", "rm", "--force", loaded.index)


def test_a_second_push_sends_no_layer_again(docker: Shell, loaded: layouts.Layout, repository: Repository) -> None:
    tagged = f"{repository.uri}:both"
    docker("docker", "push", tagged)
    assert docker("docker", "push", tagged).count("Layer already exists") == len(loaded.images)
    docker("docker", "image", "rm", "--force", loaded.index)


def test_a_push_to_a_repository_that_does_not_exist_says_so(
    docker: Shell, loaded: layouts.Layout, repository: Repository
) -> None:
    missing = f"{repository.uri}-missing:both"
    docker("docker", "tag", f"{repository.uri}:both", missing)
    with pytest.raises(ProgramFailed, match="does not exist in the registry"):
        docker("docker", "push", missing)
    docker("docker", "image", "rm", "--force", loaded.index)
