"""The Terraform AWS provider on what a registry keeps and does by itself, in one life, for each command is slow."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from .shell import Shell
from .test_terraform import NO_DIFFERENCES, Terraform

pytestmark = pytest.mark.clients("terraform")

RULES = ["terraform/quay", "terraform/hub/", "terraform/ecr"]
TEMPLATES = ["ROOT", "terraform/sealed", "terraform/templated"]
IMPORTED = {
    "aws_ecr_account_setting.scan": "BASIC_SCAN_TYPE_VERSION",
    "aws_ecr_account_setting.scope": "REGISTRY_POLICY_SCOPE",
    "aws_ecr_registry_policy.this": "{account}",
    "aws_ecr_replication_configuration.this": "{account}",
    "aws_ecr_registry_scanning_configuration.this": "{account}",
    "aws_ecr_pull_through_cache_rule.hub": "terraform/hub/",
    "aws_ecr_pull_through_cache_rule.ecr": "terraform/ecr",
    "aws_ecr_repository_creation_template.full": "terraform/templated",
    "aws_ecr_repository_creation_template.sealed": "terraform/sealed",
}


@pytest.fixture
def terraform(shell: Shell, ecr: Any) -> Iterator[Terraform]:
    yield Terraform(shell, "registry", "upstreams")
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    with contextlib.suppress(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.delete_registry_policy()
    for prefix in RULES:
        with contextlib.suppress(ecr.exceptions.PullThroughCacheRuleNotFoundException):
            ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
    for prefix in TEMPLATES:
        with contextlib.suppress(ecr.exceptions.TemplateNotFoundException):
            ecr.delete_repository_creation_template(prefix=prefix)


def test_what_a_registry_keeps_and_does_lives_a_whole_life(terraform: Terraform, ecr: Any) -> None:
    account = ecr.describe_registry()["registryId"]
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode", status=NO_DIFFERENCES)
    check_what_is_kept(ecr, account)
    check_what_was_applied(terraform, ecr)

    terraform("apply", "-auto-approve", changed="true")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)
    check_what_is_kept_instead(ecr, account)
    check_what_was_changed(ecr)

    terraform.forget_and_import(IMPORTED, account)
    assert terraform.planned(changed="true") == {}
    terraform("apply", "plan")

    terraform("destroy", "-auto-approve", changed="true")
    check_nothing_is_left(ecr)


def check_what_is_kept(ecr: Any, account: str) -> None:
    assert settings(ecr) == ("CLAIR", "V1")
    assert actions(ecr) == "ecr:ReplicateImage"
    assert replication(ecr) == [
        (["prod/"], [("eu-west-1", account)]),
        ([], [("eu-west-3", account)]),
    ]


def check_what_is_kept_instead(ecr: Any, account: str) -> None:
    assert settings(ecr) == ("AWS_NATIVE", "V2")
    assert sorted(actions(ecr)) == ["ecr:PutImage", "ecr:ReplicateImage"]
    assert replication(ecr) == [(["live/"], [("eu-west-1", account), ("ap-south-1", "210987654321")])]


def check_nothing_is_left(ecr: Any) -> None:
    assert replication(ecr) == []
    with pytest.raises(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.get_registry_policy()
    left = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert not {rule["ecrRepositoryPrefix"] for rule in left} & set(RULES)
    assert ecr.describe_repository_creation_templates(prefixes=TEMPLATES)["repositoryCreationTemplates"] == []
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


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


def check_what_was_applied(terraform: Terraform, ecr: Any) -> None:
    rules = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=RULES)["pullThroughCacheRules"]
    assert [rule["upstreamRegistry"] for rule in rules] == ["ecr", "docker-hub", "quay"]
    output = terraform.output()
    assert output["rule"]["credential_arn"].endswith("ecr-pullthroughcache/old-AbCdEf")
    template = output["template"]
    assert template["image_tag_mutability"] == "IMMUTABLE"
    assert template["encryption_configuration"] == [{"encryption_type": "KMS", "kms_key": ""}]
    assert template["resource_tags"] == {"team": "harbour", "empty": ""}
    assert sorted(template["applied_for"]) == ["PULL_THROUGH_CACHE", "REPLICATION"]
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"]["scanType"] == "BASIC"


def check_what_was_changed(ecr: Any) -> None:
    (ecr_rule,) = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["terraform/ecr"])[
        "pullThroughCacheRules"
    ]
    assert ecr_rule["customRoleArn"].endswith(":role/new")
    sealed, template = ecr.describe_repository_creation_templates(prefixes=TEMPLATES[1:])["repositoryCreationTemplates"]
    assert sealed["encryptionConfiguration"]["kmsKey"].endswith("-bbbbbbbbbbbb")
    assert not {"description", "customRoleArn", "repositoryPolicy"} & template.keys()
    assert template["appliedFor"] == ["PULL_THROUGH_CACHE"]
    assert template["resourceTags"] == [{"Key": "team", "Value": "pier"}]
    assert template["encryptionConfiguration"] == {"encryptionType": "AES256"}
    configuration = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert configuration["scanType"] == "ENHANCED"
