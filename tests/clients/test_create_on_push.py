"""Docker and skopeo push to repositories that only a template of the registry knows of."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import ProgramFailed, Shell
from .stored import whole

PREFIX = "created/on-push"
NAMES = [f"{PREFIX}/docker", f"{PREFIX}/skopeo"]


@pytest.fixture
def template(ecr: Any) -> Iterator[None]:
    ecr.create_repository_creation_template(
        prefix=PREFIX, appliedFor=["CREATE_ON_PUSH"], imageTagMutability="IMMUTABLE"
    )
    yield
    ecr.delete_repository_creation_template(prefix=PREFIX)
    for name in NAMES:
        with contextlib.suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=name, force=True)


@pytest.mark.clients("aws", "docker", "dockerd", "skopeo")
def test_a_push_creates_its_repository_where_a_template_says_so(
    docker_shell: Shell, repository: Repository, password: str, build_context: Path, template: None, ecr: Any
) -> None:
    by_docker, by_skopeo = (f"{repository.host}/{name}:v1" for name in NAMES)
    nowhere = f"{repository.host}/nowhere/app:v1"
    docker_shell("docker", "build", "-t", by_docker, "-t", nowhere, build_context / "small")
    docker_shell("docker", "push", by_docker)
    whole(ecr, NAMES[0], imageTag="v1")
    with pytest.raises(ProgramFailed, match="does not exist in the registry with id"):
        docker_shell("docker", "push", nowhere)

    plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    docker_shell(
        "skopeo", "login", "--tls-verify=false", "-u", "AWS", "--password-stdin", repository.host, stdin=password
    )
    docker_shell("skopeo", "copy", *plain, f"docker://{by_docker}", f"docker://{by_skopeo}")
    whole(ecr, NAMES[1], imageTag="v1")
    made = ecr.describe_repositories(repositoryNames=NAMES)["repositories"]
    assert {one["imageTagMutability"] for one in made} == {"IMMUTABLE"}
