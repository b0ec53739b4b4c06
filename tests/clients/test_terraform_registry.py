"""The Terraform AWS provider on what a registry keeps: account settings, its policy, the replication configuration."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import HERE
from .shell import Shell
from .test_terraform import NO_DIFFERENCES, Terraform

pytestmark = pytest.mark.clients("terraform")

IMPORTED = {
    "aws_ecr_account_setting.scan": "BASIC_SCAN_TYPE_VERSION",
    "aws_ecr_account_setting.scope": "REGISTRY_POLICY_SCOPE",
    "aws_ecr_registry_policy.this": "{account}",
    "aws_ecr_replication_configuration.this": "{account}",
}


@pytest.fixture
def terraform(shell: Shell, ecr: Any) -> Iterator[Terraform]:
    yield Terraform(shell, HERE / "terraform/registry")
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    with contextlib.suppress(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.delete_registry_policy()


def test_settings_policy_and_replication_live_a_whole_life(terraform: Terraform, ecr: Any) -> None:
    account = ecr.describe_registry()["registryId"]
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode", status=NO_DIFFERENCES)
    assert settings(ecr) == ("CLAIR", "V1")
    assert actions(ecr) == "ecr:ReplicateImage"
    assert replication(ecr) == [
        (["prod/"], [("eu-west-1", account)]),
        ([], [("eu-west-3", account)]),
    ]

    terraform("apply", "-auto-approve", changed="true")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)
    assert settings(ecr) == ("AWS_NATIVE", "V2")
    assert sorted(actions(ecr)) == ["ecr:PutImage", "ecr:ReplicateImage"]
    assert replication(ecr) == [(["live/"], [("eu-west-1", account), ("ap-south-1", "210987654321")])]

    terraform.forget_and_import(IMPORTED, account)
    assert terraform.planned(changed="true") == {}
    terraform("apply", "plan")

    terraform("destroy", "-auto-approve", changed="true")
    assert replication(ecr) == []
    with pytest.raises(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.get_registry_policy()


def settings(ecr: Any) -> tuple[str, ...]:
    names = ("BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE")
    return tuple(ecr.get_account_setting(name=name)["value"] for name in names)


def actions(ecr: Any) -> Any:
    (statement,) = json.loads(ecr.get_registry_policy()["policyText"])["Statement"]
    return statement["Action"]


def replication(ecr: Any) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """The filters of each rule, and its destinations."""
    return [
        (
            [one["filter"] for one in rule.get("repositoryFilters", ())],
            [(one["region"], one["registryId"]) for one in rule["destinations"]],
        )
        for rule in ecr.describe_registry()["replicationConfiguration"]["rules"]
    ]
