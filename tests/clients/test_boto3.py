"""boto3 and Docker meet: what one pushes, the other pulls."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from . import layouts
from .api_images import upload_layer
from .conftest import Repository
from .shell import Shell
from .stored import whole

pytestmark = pytest.mark.clients("aws", "docker", "dockerd", "busybox")


def test_an_image_pushed_through_the_api_alone_is_pulled_by_docker_and_runs(
    docker_shell: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    layout = layouts.write_layout(docker_shell.folder / "layout", build_context)
    manifests = {layout.index, *layout.images.values()}
    for name in layouts.blobs_of(layout.folder):
        if f"sha256:{name}" not in manifests:
            with (layout.folder / "blobs/sha256" / name).open("rb") as blob:
                assert upload_layer(ecr, repository.name, blob) == f"sha256:{name}"
    for digest in layout.images.values():
        put = ecr.put_image(repositoryName=repository.name, imageManifest=layout.text(digest))
        assert put["image"]["imageId"] == {"imageDigest": digest}
    ecr.put_image(repositoryName=repository.name, imageManifest=layout.text(layout.index), imageTag="api")

    docker, tagged = docker_shell, f"{repository.uri}:api"
    docker("docker", "pull", tagged)
    (pulled,) = docker.json("docker", "image", "inspect", tagged)
    assert pulled["RepoDigests"] == [f"{repository.uri}@{layout.index}"]
    with (build_context / "layer.bin").open("rb") as layer:
        expected = hashlib.file_digest(layer, "sha256").hexdigest()
    run = ["docker", "run", "--rm", "--network", "none", tagged, "/bin/busybox", "sha256sum", "/layer.bin"]
    assert docker(*run).split()[0] == expected
    docker("docker", "image", "rm", tagged)


def test_an_image_pushed_by_docker_is_read_through_the_api_alone(
    docker_shell: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:docker"
    docker("docker", "build", "--quiet", "-t", tagged, build_context)
    (built,) = docker.json("docker", "image", "inspect", tagged)
    before = time.time()
    docker("docker", "push", tagged)
    docker("docker", "image", "rm", "--force", tagged)

    stored = whole(ecr, repository.name, imageTag="docker")
    assert stored.media_type == "application/vnd.docker.distribution.manifest.v2+json"
    assert stored.blobs[0] == built["Id"]
    (detail,) = ecr.describe_images(repositoryName=repository.name)["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"]) == (stored.digest, ["docker"])
    assert detail["imageSizeInBytes"] >= sum(layer["size"] for layer in stored.manifest["layers"])
    assert before - 5 <= detail["imagePushedAt"].timestamp() <= time.time() + 5
    available = ecr.batch_check_layer_availability(repositoryName=repository.name, layerDigests=stored.blobs[1:])
    assert {layer["layerAvailability"] for layer in available["layers"]} == {"AVAILABLE"}


def test_an_image_retagged_through_the_api_is_pulled_by_the_new_tag(
    docker_shell: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:old"
    docker("docker", "build", "--quiet", "-t", tagged, build_context / "small")
    docker("docker", "push", tagged)
    stored = whole(ecr, repository.name, imageTag="old")
    ecr.put_image(repositoryName=repository.name, imageManifest=stored.text, imageTag="new")
    docker("docker", "pull", f"{repository.uri}:new")
    ids = {docker.json("docker", "image", "inspect", f"{repository.uri}:{tag}")[0]["Id"] for tag in ("old", "new")}
    assert ids == {json.loads(stored.text)["config"]["digest"]}
    docker("docker", "image", "rm", "--force", *ids)
