"""Docker and the AWS CLI as a user and as a role that may pull one repository and do nothing else."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import ProgramFailed, Shell

pytestmark = pytest.mark.clients("aws", "docker", "dockerd", "busybox")


@pytest.fixture
def other(ecr: Any) -> Iterator[Repository]:
    """Create a second repository; delete it, with all that was pushed, after the test."""
    name = f"clients/{uuid.uuid4().hex[:12]}"
    yield Repository(name, ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"])
    ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def images(docker_shell: Shell, repository: Repository, other: Repository, build_context: Path) -> None:
    """Push an image to both, as the root."""
    for uri in (repository.uri, other.uri):
        docker_shell("docker", "build", "--quiet", "-t", f"{uri}:1", build_context / "small")
        docker_shell("docker", "push", f"{uri}:1")


def reading(account: str, repository: Repository) -> dict[str, Any]:
    """ECR user guide, "IAM permissions for pulling an image": of one repository, and a password."""
    arn = f"arn:aws:ecr:*:{account}:repository/{repository.name}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": pull, "Resource": arn},
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        ],
    }


@pytest.fixture
def account(docker_shell: Shell) -> str:
    return str(docker_shell.json("aws", "sts", "get-caller-identity")["Account"])


@pytest.fixture
def user(docker_shell: Shell, account: str, repository: Repository) -> Iterator[tuple[Shell, str]]:
    """Make a user who may pull; a shell with a key of theirs, and their ARN."""
    name, iam = f"reader-{uuid.uuid4().hex[:8]}", ("aws", "iam")
    arn = docker_shell.json(*iam, "create-user", "--user-name", name)["User"]["Arn"]
    text = json.dumps(reading(account, repository))
    put = ("put-user-policy", "--user-name", name, "--policy-name", "pull", "--policy-document", text)
    docker_shell(*iam, *put)
    key = docker_shell.json(*iam, "create-access-key", "--user-name", name)["AccessKey"]
    yield having(docker_shell, key), arn
    docker_shell(*iam, "delete-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"])
    docker_shell(*iam, "delete-user-policy", "--user-name", name, "--policy-name", "pull")
    docker_shell(*iam, "delete-user", "--user-name", name)


@pytest.fixture
def role(
    user: tuple[Shell, str], docker_shell: Shell, account: str, repository: Repository
) -> Iterator[tuple[Shell, str]]:
    """Make a role that may pull, which the user assumes; a shell with its credentials, and the session's ARN."""
    name, iam = f"reader-{uuid.uuid4().hex[:8]}", ("aws", "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": user[1]}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = docker_shell.json(*iam, "create-role", "--role-name", name, "--assume-role-policy-document", document)
    text = json.dumps(reading(account, repository))
    put = ("put-role-policy", "--role-name", name, "--policy-name", "pull", "--policy-document", text)
    docker_shell(*iam, *put)
    assume = ("assume-role", "--role-arn", made["Role"]["Arn"], "--role-session-name", "ci")
    assumed = user[0].json("aws", "sts", *assume)
    yield having(docker_shell, assumed["Credentials"]), assumed["AssumedRoleUser"]["Arn"]
    docker_shell(*iam, "delete-role-policy", "--role-name", name, "--policy-name", "pull")
    docker_shell(*iam, "delete-role", "--role-name", name)


def having(shell: Shell, credentials: dict[str, Any]) -> Shell:
    """The same shell with these credentials, and logged in nowhere."""
    folder = shell.folder / f"docker-{credentials['AccessKeyId']}"
    folder.mkdir()
    return shell.having(
        AWS_ACCESS_KEY_ID=credentials["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=credentials["SecretAccessKey"],
        AWS_SESSION_TOKEN=credentials.get("SessionToken", ""),
        DOCKER_CONFIG=str(folder),
    )


@pytest.mark.parametrize("kind", ["user", "role"])
def test_who_may_pull_one_repository_pulls_no_other_and_pushes_nothing(
    request: pytest.FixtureRequest, images: None, account: str, repository: Repository, other: Repository, kind: str
) -> None:
    shell, arn = request.getfixturevalue(kind)
    assert shell.json("aws", "sts", "get-caller-identity")["Arn"] == arn
    login = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    assert "Login Succeeded" in shell("sh", "-ec", login)

    tagged, new = f"{repository.uri}:1", f"{repository.uri}:2"
    shell("docker", "image", "rm", "--force", tagged)
    shell("docker", "pull", tagged)
    with pytest.raises(ProgramFailed) as refused:
        shell("docker", "pull", f"{other.uri}:1")
    assert f"User: {arn} is not authorized to perform: ecr:BatchGetImage on resource: " in str(refused.value)
    assert f"{account}:repository/{other.name} because no identity-based policy allows" in str(refused.value)

    shell("docker", "tag", tagged, new)
    with pytest.raises(ProgramFailed) as refused:
        shell("docker", "push", new)
    assert "denied: User: " in str(refused.value)
    assert f"User: {arn} is not authorized to perform: ecr:" in str(refused.value)
    assert f"{account}:repository/{repository.name} because no identity-based policy allows" in str(refused.value)

    with pytest.raises(ProgramFailed) as refused:
        shell("aws", "ecr", "list-images", "--repository-name", repository.name)
    assert "An error occurred (AccessDeniedException) when calling the ListImages operation: User: " in str(
        refused.value
    )
    shell("docker", "image", "rm", "--force", tagged, new)


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_push_of_a_new_layer_is_denied_in_ecrs_words(
    request: pytest.FixtureRequest, images: None, account: str, repository: Repository, ecr: Any, kind: str
) -> None:
    shell, arn = request.getfixturevalue(kind)
    login = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    shell("sh", "-ec", login)
    new, folder = f"{repository.uri}:new", shell.folder / f"new-{kind}"
    folder.mkdir()
    (folder / "new").write_text(arn)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY new /new\n")
    shell("docker", "build", "--quiet", "-t", new, folder)
    with pytest.raises(ProgramFailed) as refused:
        shell("docker", "push", new)
    resource = f"arn:aws:ecr:{ecr.meta.region_name}:{account}:repository/{repository.name}"
    assert str(refused.value).splitlines()[-1] == (
        f"denied: User: {arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: {resource} "
        "because no identity-based policy allows the ecr:InitiateLayerUpload action"
    )
    assert [image.get("imageTag") for image in ecr.list_images(repositoryName=repository.name)["imageIds"]] == ["1"]
    shell("docker", "image", "rm", "--force", new)


def test_a_password_is_worth_nothing_any_more_when_its_key_is_taken_back(
    user: tuple[Shell, str], docker_shell: Shell, images: None, repository: Repository
) -> None:
    shell, arn = user
    login = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    shell("sh", "-ec", login)
    shell("docker", "pull", f"{repository.uri}:1")
    key, name = shell.environment["AWS_ACCESS_KEY_ID"], arn.rpartition("/")[2]
    inactive = ("update-access-key", "--user-name", name, "--access-key-id", key, "--status", "Inactive")
    docker_shell("aws", "iam", *inactive)
    with pytest.raises(ProgramFailed, match=r"The security token included in the request is invalid"):
        shell("docker", "pull", f"{repository.uri}:1")
