"""The Terraform AWS provider on whom an account has: built from nothing, changed, imported and destroyed."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from .shell import Shell
from .test_terraform import NO_DIFFERENCES, Terraform

pytestmark = pytest.mark.clients("terraform")

ARN = "arn:aws:iam::{account}"
PROVIDER = "token.actions.githubusercontent.com"
POWER_USER = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
# As they are called after the change.
IMPORTED = {
    "aws_iam_policy.pull": f"{ARN}:policy/terraform/terraform-pull",
    "aws_iam_user.puller": "terraform-fetcher",
    "aws_iam_group.pullers": "terraform-pullers",
    "aws_iam_role.ci": "terraform-ci",
    "aws_iam_user_policy_attachment.puller": f"terraform-fetcher/{ARN}:policy/terraform/terraform-pull",
    "aws_iam_group_policy_attachment.pullers": f"terraform-pullers/{READ_ONLY}",
    "aws_iam_role_policy_attachment.ci": f"terraform-ci/{READ_ONLY}",
    "aws_iam_user_policy.puller": "terraform-fetcher:only",
    "aws_iam_group_policy.pullers": "terraform-pullers:only",
    "aws_iam_role_policy.ci": "terraform-ci:only",
    "aws_iam_role_policies_exclusive.ci": "terraform-ci",
    "aws_iam_user_group_membership.puller": "terraform-fetcher/terraform-others",
    "aws_iam_openid_connect_provider.ci": f"{ARN}:oidc-provider/{PROVIDER}",
    "aws_iam_virtual_mfa_device.puller": f"{ARN}:mfa/terraform/terraform-phone",
    "aws_iam_account_alias.this": "terraform-harbour",
}
# What an import cannot know: how Terraform itself should delete.
NOT_KNOWN = {"force_destroy", "force_detach_policies"}


@pytest.fixture
def iam(exports: dict[str, str]) -> Iterator[Any]:
    client = boto3.client(
        "iam",
        endpoint_url=exports["AWS_ENDPOINT_URL_IAM"],
        region_name=exports["AWS_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )
    yield client
    client.close()


@pytest.fixture
def terraform(shell: Shell) -> Iterator[Terraform]:
    terraform = Terraform(shell, "iam")
    yield terraform
    if terraform("state", "list"):
        # Whatever a test left, the next one needs the names.
        terraform("destroy", "-auto-approve")


def test_whom_an_account_has_lives_a_whole_life(terraform: Terraform, iam: Any) -> None:
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode", status=NO_DIFFERENCES)
    check_what_was_applied(terraform, iam)

    terraform("apply", "-auto-approve", changed="true")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)
    check_what_was_changed(iam)

    terraform.forget_and_import(IMPORTED, terraform.output()["account"])
    changes = terraform.planned(changed="true")
    assert {name for names in changes.values() for name in names} <= NOT_KNOWN
    terraform("apply", "plan")
    terraform("plan", "-detailed-exitcode", changed="true", status=NO_DIFFERENCES)

    terraform("destroy", "-auto-approve", changed="true")
    assert left(iam) == []


def check_what_was_applied(terraform: Terraform, iam: Any) -> None:
    output = terraform.output()
    assert output["found"] == {
        "user": True,
        "members": ["terraform-puller"],
        "role": True,
        "provider": True,
        "aws": "Allow",
    }
    user = iam.get_user(UserName="terraform-puller")["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == output["limit"]
    assert {tag["Key"] for tag in user["Tags"]} == {"team", "empty", "managed-by"}
    (key,) = iam.list_access_keys(UserName="terraform-puller")["AccessKeyMetadata"]
    assert (key["AccessKeyId"], key["Status"]) == (output["key"], "Active")
    (device,) = iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert device == {"SerialNumber": f"{ARN}:mfa/terraform/terraform-phone".format(account=output["account"])}
    assert len(base64.b32decode(output["seed"])) == 40
    assert iam.list_account_aliases()["AccountAliases"] == ["terraform-harbour"]
    role = iam.get_role(RoleName="terraform-ci")["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "what CI becomes")
    assert [each["PolicyArn"] for each in attached(iam)] == [POWER_USER]
    statements = inline(iam)
    assert [statement.get("Sid") for statement in statements] == ["Login", "Pull", None]
    assert statements[-1]["NotAction"] == ["sts:*", "ecr:*"]


def check_what_was_changed(iam: Any) -> None:
    user = iam.get_user(UserName="terraform-fetcher")["User"]
    assert (user["Path"], user.get("PermissionsBoundary")) == ("/fetchers/", None)
    (key,) = iam.list_access_keys(UserName="terraform-fetcher")["AccessKeyMetadata"]
    assert key["Status"] == "Inactive"
    (device,) = iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    tags = {tag["Key"]: tag["Value"] for tag in iam.list_mfa_device_tags(**device)["Tags"]}
    assert tags == {"team": "pier", "managed-by": "terraform"}
    role = iam.get_role(RoleName="terraform-ci")["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (3600, "what CI is")
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == POWER_USER
    assert [each["PolicyArn"] for each in attached(iam)] == [READ_ONLY]
    assert inline(iam)[-1]["NotAction"] == "ecr:*"
    arn = user["Arn"].replace(":user/fetchers/terraform-fetcher", "")
    policy = iam.get_policy(PolicyArn=f"{arn}:policy/terraform/terraform-pull")["Policy"]
    assert policy["DefaultVersionId"] == "v2"
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=f"{arn}:oidc-provider/{PROVIDER}")
    assert sorted(provider["ClientIDList"]) == ["berth", "sts.amazonaws.com"]


def attached(iam: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = iam.list_attached_role_policies(RoleName="terraform-ci")["AttachedPolicies"]
    return found


def inline(iam: Any) -> list[dict[str, Any]]:
    document = iam.get_role_policy(RoleName="terraform-ci", PolicyName="only")["PolicyDocument"]
    statements: list[dict[str, Any]] = json.loads(json.dumps(document))["Statement"]
    return statements


def left(iam: Any) -> list[str]:
    """The names of what Terraform made."""
    names = [user["UserName"] for user in iam.list_users()["Users"]]
    names += [group["GroupName"] for group in iam.list_groups()["Groups"]]
    names += [role["RoleName"] for role in iam.list_roles()["Roles"]]
    names += [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]]
    names += iam.list_account_aliases()["AccountAliases"]
    names += [
        device["SerialNumber"].rpartition("/")[2] for device in iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    ]
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    names += [provider["Arn"] for provider in providers]
    return [name for name in names if name.startswith("terraform-") or "oidc-provider" in name]
