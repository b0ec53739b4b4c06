"""The Terraform AWS provider, told three endpoints and nothing else: no flag that skips a check."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.absences import absent

from .api_images import put_small_image
from .conftest import HERE, Repository
from .shell import ProgramFailed, Shell

pytestmark = pytest.mark.clients("terraform")

NAMES = {"terraform/full", "terraform/bare", "terraform/sealed"}
BY_COMMAND = "aws_ecr_repository.full"
IMPORTED = {
    "aws_ecr_lifecycle_policy.full": "terraform/full",
    "aws_ecr_repository.sealed": "terraform/sealed",
    "aws_ecr_repository_policy.full": "terraform/full",
}
NO_DIFFERENCES = 0
FILES = HERE / "terraform"


class Terraform:
    """Files of `tests/clients/terraform` as one configuration, in a folder of its own, with its state."""

    def __init__(self, shell: Shell, *names: str) -> None:
        folder = shell.folder / "terraform"
        folder.mkdir()
        for name in ("provider", *names):
            shutil.copy(FILES / f"{name}.tf", folder)
        self.shell = shell.having(
            # where this machine keeps providers
            **{
                name: value
                for name, value in os.environ.items()
                if name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
            },
            GOGC="400",  # a third less of CPU: every command reads the schemas of all of AWS
            TF_INPUT="0",
            TF_IN_AUTOMATION="1",
            TF_CLI_ARGS="-no-color",
            CHECKPOINT_DISABLE="1",
            TF_VAR_iam_endpoint=shell.environment["AWS_ENDPOINT_URL_IAM"],
            TF_VAR_ecr_endpoint=shell.environment["AWS_ENDPOINT_URL_ECR"],
            TF_VAR_sts_endpoint=shell.environment["AWS_ENDPOINT_URL_STS"],
        )
        self.folder = folder
        try:
            self("init")
        except ProgramFailed as failure:
            absent(f"Terraform cannot get the AWS provider: {failure}")

    def __call__(self, *command: str, status: int = 0, **variables: str) -> str:
        settings = {f"TF_VAR_{name}": value for name, value in variables.items()}
        return self.shell.having(**settings)("terraform", f"-chdir={self.folder}", *command, status=status)

    def output(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self("output", "-json")).items()}

    def forget_and_import(self, ids: dict[str, str], account: str = "") -> None:
        """Remove the resources from the state and have the next plan import them, by ids that may name the account."""
        self("state", "rm", *ids)
        blocks = [
            f'import {{\n  to = {address}\n  id = "{name.format(account=account)}"\n}}\n'
            for address, name in ids.items()
        ]
        (self.folder / "imports.tf").write_text("".join(blocks))

    def planned(self, **variables: str) -> dict[str, set[str]]:
        """Plan; answer which arguments of which resource would change."""
        self("plan", "-out=plan", **variables)
        planned = json.loads(self("show", "-json", "plan"))["resource_changes"]
        changes = {resource["address"]: resource["change"] for resource in planned if resource["mode"] == "managed"}
        return {
            address: {name for name in change["after"] if change["after"][name] != (change["before"] or {}).get(name)}
            for address, change in changes.items()
            if change["actions"] != ["no-op"]
        }


@pytest.fixture
def repositories(shell: Shell, ecr: Any) -> Iterator[Terraform]:
    yield Terraform(shell, "repositories")
    for name in NAMES:
        with contextlib.suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=name, force=True)


def test_repositories_and_their_policies_live_a_whole_life(repositories: Terraform, ecr: Any) -> None:
    terraform = repositories
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode", status=NO_DIFFERENCES)
    check_what_was_applied(terraform, ecr)

    terraform("apply", "-auto-approve", changed="true")
    check_what_was_changed(ecr)

    terraform("state", "rm", BY_COMMAND)
    terraform("import", BY_COMMAND, "terraform/full", changed="true")
    terraform.forget_and_import(IMPORTED)
    # what an import cannot know is how Terraform itself should delete
    assert terraform.planned(changed="true") == {BY_COMMAND: {"force_delete", "timeouts"}}
    terraform("apply", "plan")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)

    put_small_image(ecr, "terraform/full", "given-up")
    kept = put_small_image(ecr, "terraform/bare", "kept")
    with pytest.raises(ProgramFailed, match="RepositoryNotEmptyException"):
        terraform("destroy", "-auto-approve", changed="true")
    ecr.batch_delete_image(repositoryName="terraform/bare", imageIds=[{"imageDigest": kept}])
    terraform("destroy", "-auto-approve", changed="true")
    names = {repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]}
    assert not names & NAMES


def check_what_was_applied(terraform: Terraform, ecr: Any) -> None:
    output = terraform.output()
    (full,) = ecr.describe_repositories(repositoryNames=["terraform/full"])["repositories"]
    assert output["repository_url"] == full["repositoryUri"]
    assert output["repository"]["arn"] == full["repositoryArn"]
    assert output["repository"]["image_tag_mutability"] == full["imageTagMutability"] == "MUTABLE"
    assert output["repository"]["image_scanning_configuration"] == [{"scan_on_push": True}]
    assert output["repository"]["encryption_configuration"] == [{"encryption_type": "AES256", "kms_key": ""}]
    assert output["repository"]["tags"] == {"team": "harbour", "empty": "", "managed-by": "terraform"}
    assert set(output["names"]) >= NAMES
    (sealed,) = ecr.describe_repositories(repositoryNames=["terraform/sealed"])["repositories"]
    assert sealed["encryptionConfiguration"]["kmsKey"].endswith(":key/1f2e3d4c-0000-4444-8888-aabbccddeeff")
    assert output["account"] == full["registryId"]
    host = full["repositoryUri"].split("/", 1)[0]
    assert output["login"] == {"user": "AWS", "server": f"http://{host}", "has_password": True}
    rules = json.loads(ecr.get_lifecycle_policy(repositoryName="terraform/full")["lifecyclePolicyText"])["rules"]
    assert [rule["selection"]["countNumber"] for rule in rules] == [14, 30]
    policy = json.loads(ecr.get_repository_policy(repositoryName="terraform/full")["policyText"])
    assert policy["Statement"][0]["Sid"] == "Pull"


def check_what_was_changed(ecr: Any) -> None:
    (full,) = ecr.describe_repositories(repositoryNames=["terraform/full"])["repositories"]
    assert full["imageTagMutability"] == "IMMUTABLE"
    assert full["imageScanningConfiguration"] == {"scanOnPush": False}
    tags = ecr.list_tags_for_resource(resourceArn=full["repositoryArn"])["tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "team": "pier",
        "cost centre": "42",
        "managed-by": "terraform",
    }
    rules = json.loads(ecr.get_lifecycle_policy(repositoryName="terraform/full")["lifecyclePolicyText"])["rules"]
    assert [rule["selection"]["countNumber"] for rule in rules] == [7, 30]
    policy = json.loads(ecr.get_repository_policy(repositoryName="terraform/full")["policyText"])
    assert "ecr:PutImage" in policy["Statement"][0]["Action"]


def test_an_image_is_found_by_tag_by_digest_and_as_the_newest(shell: Shell, repository: Repository, ecr: Any) -> None:
    old = put_small_image(ecr, repository.name, "1.0", b"old")
    new = put_small_image(ecr, repository.name, "1.1", b"new")
    terraform = Terraform(shell, "images")
    terraform("apply", "-auto-approve", repository=repository.name, digest=old)
    output = terraform.output()
    assert output["by_tag"]["image_digest"] == output["by_digest"]["image_digest"] == old
    assert output["newest"]["image_digest"] == new
    assert output["by_digest"]["image_tags"] == ["1.0"]
    assert output["newest"]["image_uri"] == f"{repository.uri}@{new}"
    assert output["newest"]["image_size_in_bytes"] > 0
