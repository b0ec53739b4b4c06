"""`aws iam` and `aws sts` with a virtual MFA device, a federated user and an alias of the account."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from .aws_cli import AwsCli
from .shell import Shell

pytestmark = pytest.mark.clients("aws")

PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
FEDERATING = {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}


def codes(seed: str, *steps: int) -> list[str]:
    totp, now = TOTP(base64.b32decode(seed), 6, SHA1(), 30), int(time.time())
    return [totp.generate(now + 30 * step).decode() for step in steps]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def anything(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **more}


def having(shell: Shell, key: dict[str, str]) -> Shell:
    """The same shell with an access key, or with temporary credentials."""
    token = {"AWS_SESSION_TOKEN": key["SessionToken"]} if "SessionToken" in key else {}
    return shell.having(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"], **token)


@pytest.fixture
def iam(shell: Shell) -> Iterator[AwsCli]:
    with AwsCli(shell, "iam") as cli:
        yield cli


@pytest.fixture
def ada(shell: Shell, iam: AwsCli) -> Iterator[tuple[Shell, str]]:
    """A shell of a user who may do anything with a second factor, and federate without; her name."""
    name = f"ada-{uuid.uuid4().hex[:8]}"
    own = ("--user-name", name, "--policy-name", "own")
    assert iam("create-user", "--user-name", name).status == 0
    statements = policy(anything(Condition=PRESENT), FEDERATING)
    assert iam("put-user-policy", *own, "--policy-document", statements).status == 0
    key = iam("create-access-key", "--user-name", name).answer["AccessKey"]
    yield having(shell, key), name
    iam("delete-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"])
    iam("delete-user-policy", *own)
    assert iam("delete-user", "--user-name", name).status == 0


def test_a_users_codes_count(shell: Shell, iam: AwsCli, ada: tuple[Shell, str]) -> None:
    hers, name = ada
    made = ("create-virtual-mfa-device", "--virtual-mfa-device-name", name, "--bootstrap-method", "Base32StringSeed")
    serial = iam(*made, "--outfile", "seed").answer["VirtualMFADevice"]["SerialNumber"]
    seed = (shell.folder / "seed").read_text()
    named = ("--user-name", name, "--serial-number", serial)
    first, second, shown = codes(seed, -2, -1, 0)
    said = iam("enable-mfa-device", *named, "--authentication-code1", second, "--authentication-code2", first)
    assert "(InvalidAuthenticationCode)" in said.err
    said = iam("enable-mfa-device", *named, "--authentication-code1", first, "--authentication-code2", second)
    assert said.status == 0, said.err
    (listed,) = iam("list-mfa-devices", "--user-name", name).answer["MFADevices"]
    assert listed["SerialNumber"] == serial

    with AwsCli(hers, "sts") as sts:
        token = ("get-session-token", "--serial-number", serial, "--token-code", shown)
        credentials = sts(*token).answer["Credentials"]
        assert "invalid MFA one time pass code" in sts(*token).err
    with AwsCli(having(shell, credentials), "iam") as session:
        assert name in {user["UserName"] for user in session("list-users").answer["Users"]}
    assert "(DeleteConflict)" in iam("delete-user", "--user-name", name).err
    assert iam("deactivate-mfa-device", *named).status == 0
    assert iam("delete-virtual-mfa-device", "--serial-number", serial).status == 0


def test_the_qr_code_comes_in_a_file(shell: Shell, iam: AwsCli) -> None:
    made = ("create-virtual-mfa-device", "--virtual-mfa-device-name", f"phone-{uuid.uuid4().hex[:8]}")
    said = iam(*made, "--bootstrap-method", "QRCodePNG", "--outfile", "code.png")
    named = ("--serial-number", said.answer["VirtualMFADevice"]["SerialNumber"])
    assert (shell.folder / "code.png").read_bytes().startswith(b"\x89PNG")
    assert iam("tag-mfa-device", *named, "--tags", "Key=team,Value=a").status == 0
    assert iam("list-mfa-device-tags", *named).answer["Tags"] == [{"Key": "team", "Value": "a"}]
    listed = iam("list-virtual-mfa-devices", "--assignment-status", "Unassigned").answer["VirtualMFADevices"]
    assert named[1] in {each["SerialNumber"] for each in listed}
    assert iam("delete-virtual-mfa-device", *named).status == 0


def test_a_federated_user_gets_a_password_of_the_registry(shell: Shell, iam: AwsCli, ada: tuple[Shell, str]) -> None:
    hers, name = ada
    own = ("--user-name", name, "--policy-name", "own", "--policy-document", policy(anything()))
    assert iam("put-user-policy", *own).status == 0
    only = policy({**anything(), "Action": "ecr:GetAuthorizationToken"})
    with AwsCli(hers, "sts") as sts:
        answer = sts("get-federation-token", "--name", "cora", "--policy", only).answer
    assert answer["FederatedUser"]["Arn"].endswith(":federated-user/cora")
    with AwsCli(having(shell, answer["Credentials"]), "ecr") as ecr:
        assert ecr("get-login-password").out.strip()
        assert "no session policy allows the ecr:DescribeRepositories action" in ecr("describe-repositories").err


def test_an_account_has_an_alias(iam: AwsCli) -> None:
    alias = f"alias-{uuid.uuid4().hex[:8]}"
    assert iam("create-account-alias", "--account-alias", alias).status == 0
    assert iam("list-account-aliases").answer["AccountAliases"] == [alias]
    assert iam("delete-account-alias", "--account-alias", alias).status == 0
    assert iam("list-account-aliases").answer["AccountAliases"] == []
