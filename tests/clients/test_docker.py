"""Docker and the AWS CLI, as the README's quick start has them."""

import dataclasses
import hashlib
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.berth_process import BERTH, BerthProcess

from .conftest import Repository
from .shell import ProgramFailed, Shell
from .stored import stored_image, whole

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.clients("aws", "docker", "dockerd", "busybox")


def inspect(docker: Shell, reference: str) -> Any:
    (image,) = docker.json("docker", "image", "inspect", reference)
    return image


def layer_digests_of_saved_image(docker: Shell, reference: str) -> list[str]:
    """Hash the layer tars of `docker save`, in the order that the image names them."""
    archive = docker.folder / "saved.tar"
    docker("docker", "save", "-o", archive, reference)
    with tarfile.open(archive) as saved:
        (image,) = json.load(member(saved, "manifest.json"))
        return [
            f"sha256:{hashlib.file_digest(member(saved, layer), 'sha256').hexdigest()}" for layer in image["Layers"]
        ]


def member(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(name)
    assert file is not None
    return file


def test_what_the_readme_says_works_as_it_stands(
    docker_shell: Shell, running_berth: BerthProcess, repository: Repository, ecr: Any
) -> None:
    start, then = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert start == "make run\n"
    for written, here in ((".venv/bin/berth", str(BERTH)), ("localhost:5500", repository.host)):
        assert written in then
        then = then.replace(written, here)
    settings = {name: value for name, value in running_berth.environment.items() if name.startswith("BERTH_")}
    newcomer = dataclasses.replace(docker_shell.having(**settings), folder=ROOT)
    assert "Login Succeeded" in newcomer("sh", "-ec", then)
    try:
        (detail,) = ecr.describe_images(repositoryName="hello")["imageDetails"]
        assert detail["imageTags"] == ["v1"]
    finally:
        ecr.delete_repository(repositoryName="hello", force=True)


def test_an_image_is_pushed_and_pulled_by_tag_and_by_digest_unchanged(
    docker_shell: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:1.0"
    docker("docker", "build", "--quiet", "-t", tagged, build_context)
    built = inspect(docker, tagged)
    docker("docker", "push", tagged)
    (by_digest,) = inspect(docker, tagged)["RepoDigests"]

    stored = whole(ecr, repository.name, imageTag="1.0")
    assert by_digest == f"{repository.uri}@{stored.digest}"
    assert stored.blobs[0] == built["Id"]

    for reference in (tagged, by_digest):
        docker("docker", "image", "rm", "--force", built["Id"])
        with pytest.raises(ProgramFailed):
            inspect(docker, built["Id"])
        docker("docker", "pull", reference)
        pulled = inspect(docker, reference)
        assert pulled["Id"] == built["Id"]
        assert pulled["RootFS"] == built["RootFS"]
        assert pulled["RepoDigests"] == [by_digest]
    assert layer_digests_of_saved_image(docker, by_digest) == built["RootFS"]["Layers"]


def test_the_pulled_image_runs_and_finds_its_200_mib_as_they_were(
    docker_shell: Shell, repository: Repository, large_build_context: Path
) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:run"
    docker("docker", "build", "--quiet", "-t", tagged, large_build_context)
    docker("docker", "push", tagged)
    docker("docker", "image", "rm", "--force", inspect(docker, tagged)["Id"])
    docker("docker", "pull", tagged)
    with (large_build_context / "layer.bin").open("rb") as layer:
        expected = hashlib.file_digest(layer, "sha256").hexdigest()
    assert docker("docker", "run", "--rm", "--network", "none", tagged).split() == [expected, "/layer.bin"]
    docker("docker", "image", "rm", tagged)


def test_an_index_of_two_platforms_gives_each_platform_its_image(
    docker_shell: Shell, repository: Repository, build_context: Path, ecr: Any
) -> None:
    docker, index = docker_shell, f"{repository.uri}:multi"
    folders = {"amd64": build_context, "arm64": build_context / "small"}
    for architecture, folder in folders.items():
        docker("docker", "build", "-q", "--platform", f"linux/{architecture}", "-t", f"{index}-{architecture}", folder)
        docker("docker", "push", f"{index}-{architecture}")
    docker("docker", "manifest", "create", "--insecure", index, *(f"{index}-{name}" for name in folders))
    docker("docker", "manifest", "annotate", "--arch", "arm64", index, f"{index}-arm64")
    pushed = docker("docker", "manifest", "push", "--insecure", index).strip()

    stored = stored_image(ecr, repository.name, imageTag="multi")
    assert stored.digest == pushed
    of_platform = {entry["platform"]["architecture"]: entry["digest"] for entry in stored.manifest["manifests"]}
    inspected = docker.json("docker", "manifest", "inspect", "--insecure", index)
    assert inspected == stored.manifest
    for architecture in folders:
        image = stored_image(ecr, repository.name, imageTag=f"multi-{architecture}")
        assert of_platform[architecture] == image.digest
        docker("docker", "image", "rm", "--force", image.blobs[0])
        docker("docker", "pull", "--platform", f"linux/{architecture}", index)
        assert inspect(docker, index)["Id"] == image.blobs[0]
    docker("docker", "image", "rm", "--force", index)


def test_a_second_push_sends_no_layer_again(docker_shell: Shell, repository: Repository, build_context: Path) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:twice"
    docker("docker", "build", "--quiet", "-t", tagged, build_context / "small")
    docker("docker", "push", tagged)
    assert "Layer already exists" in docker("docker", "push", tagged)
    docker("docker", "image", "rm", "--force", tagged)


def test_a_wrong_password_is_refused_at_login(shell: Shell, docker_host: str, repository: Repository) -> None:
    docker = shell.having(DOCKER_HOST=docker_host)
    login = ["docker", "login", "--username", "AWS", "--password-stdin", repository.host]
    docker(*login, stdin="not-a-password", status=1)


def test_a_push_to_a_repository_that_does_not_exist_says_so(
    docker_shell: Shell, repository: Repository, build_context: Path
) -> None:
    docker, tagged = docker_shell, f"{repository.uri}-missing:1"
    docker("docker", "build", "--quiet", "-t", tagged, build_context / "small")
    with pytest.raises(ProgramFailed, match="does not exist in the registry"):
        docker("docker", "push", tagged)


def test_an_immutable_tag_keeps_its_image(docker_shell: Shell, repository: Repository, build_context: Path) -> None:
    docker, tagged = docker_shell, f"{repository.uri}:final"
    name = ["--repository-name", repository.name]
    docker("aws", "ecr", "put-image-tag-mutability", *name, "--image-tag-mutability", "IMMUTABLE")
    docker("docker", "build", "--quiet", "-t", tagged, build_context / "small")
    docker("docker", "push", tagged)
    docker("docker", "build", "--quiet", "--label", "second=yes", "-t", tagged, build_context / "small")
    with pytest.raises(ProgramFailed, match="immutable"):
        docker("docker", "push", tagged)


def test_the_aws_cli_walks_through_the_life_of_a_repository(shell: Shell) -> None:
    aws, name = ("aws", "ecr"), ["--repository-name", "clients/cli"]
    created = shell.json(*aws, "create-repository", *name, "--tags", "Key=team,Value=harbour")["repository"]
    assert created["repositoryUri"].endswith("/clients/cli")
    assert shell.json(*aws, "describe-repositories", "--repository-names", "clients/cli")["repositories"] == [created]
    tags = shell.json(*aws, "list-tags-for-resource", "--resource-arn", created["repositoryArn"])["tags"]
    assert tags == [{"Key": "team", "Value": "harbour"}]
    with pytest.raises(ProgramFailed, match="RepositoryAlreadyExistsException"):
        shell(*aws, "create-repository", *name)
    shell(*aws, "delete-repository", *name)
    with pytest.raises(ProgramFailed, match="RepositoryNotFoundException"):
        shell(*aws, "describe-images", *name)
