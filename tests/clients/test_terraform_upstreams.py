"""The Terraform AWS provider on what a registry does by itself: scanning, pull through cache rules, templates."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import HERE
from .shell import Shell
from .test_terraform import NO_DIFFERENCES, Terraform

pytestmark = pytest.mark.clients("terraform")

RULES = ["terraform/quay", "terraform/hub/", "terraform/ecr"]
TEMPLATES = ["ROOT", "terraform/sealed", "terraform/templated"]
IMPORTED = {
    "aws_ecr_registry_scanning_configuration.this": "{account}",
    "aws_ecr_pull_through_cache_rule.hub": "terraform/hub/",
    "aws_ecr_pull_through_cache_rule.ecr": "terraform/ecr",
    "aws_ecr_repository_creation_template.full": "terraform/templated",
    "aws_ecr_repository_creation_template.sealed": "terraform/sealed",
}


@pytest.fixture
def terraform(shell: Shell, ecr: Any) -> Iterator[Terraform]:
    yield Terraform(shell, HERE / "terraform/upstreams")
    for prefix in RULES:
        with contextlib.suppress(ecr.exceptions.PullThroughCacheRuleNotFoundException):
            ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
    for prefix in TEMPLATES:
        with contextlib.suppress(ecr.exceptions.TemplateNotFoundException):
            ecr.delete_repository_creation_template(prefix=prefix)


def test_scanning_rules_and_templates_live_a_whole_life(terraform: Terraform, ecr: Any) -> None:
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode", status=NO_DIFFERENCES)
    check_what_was_applied(terraform, ecr)

    terraform("apply", "-auto-approve", changed="true")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)
    check_what_was_changed(ecr)

    terraform.forget_and_import(IMPORTED, ecr.describe_registry()["registryId"])
    assert terraform.planned(changed="true") == {}
    terraform("apply", "plan")

    terraform("destroy", "-auto-approve", changed="true")
    left = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert not {rule["ecrRepositoryPrefix"] for rule in left} & set(RULES)
    assert ecr.describe_repository_creation_templates(prefixes=TEMPLATES)["repositoryCreationTemplates"] == []
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


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
