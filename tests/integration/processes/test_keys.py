"""`berth keys`: what is there, what is taken back, and how a root without a key gets a new one."""

import base64
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.berth_process import BerthProcess

Start = Callable[..., BerthProcess]
# The promise.
SECONDS = 1.0


def status_with(berth: BerthProcess, password: str) -> tuple[int, str]:
    request = urllib.request.Request(f"{berth.registry_url}/v2/", headers={"Authorization": f"Basic {password}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, str(json.load(error)["errors"][0]["message"])


def test_the_only_key_of_the_root_is_revoked_and_a_new_one_made(
    start_berth: Start, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    berth = start_berth(shared_data)
    exports = berth.exports()
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    old = exports["AWS_ACCESS_KEY_ID"]
    ecr = boto3.session.Session().client("ecr")
    password = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(password).startswith(b"AWS:")
    # Every process that serves the registry knows it from now on.
    assert {status_with(berth, password) for _ in range(20)} == {(200, "")}

    listed = berth.run("keys", "list")
    assert listed.returncode == 0
    assert listed.stdout.startswith(f"{old}  arn:aws:iam::000000000000:root  since ")
    assert exports["AWS_SECRET_ACCESS_KEY"] not in listed.stdout

    assert berth.run("keys", "revoke", "AKIANONE").returncode == 1
    revoked = berth.run("keys", "revoke", old)
    assert (revoked.returncode, revoked.stderr) == (0, "")
    assert "`berth migrate` makes a new one" in revoked.stdout
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        status_with(berth, password)
    refused = (403, "The security token included in the request is invalid.")
    assert {status_with(berth, password) for _ in range(20)} == {refused}
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        ecr.describe_registry()

    assert berth.run("env").returncode == 1
    assert berth.run("migrate").returncode == 0
    new = berth.exports()
    assert new["AWS_ACCESS_KEY_ID"] != old
    for name, value in new.items():
        monkeypatch.setenv(name, value)
    assert boto3.session.Session().client("ecr").describe_registry()["registryId"] == "000000000000"


def test_a_key_that_the_settings_give_comes_back_and_the_command_says_so(start_berth: Start, tmp_path: Path) -> None:
    given = {"BERTH_ROOT_ACCESS_KEY_ID": "AKIAGIVENBYSETTINGS0", "BERTH_ROOT_SECRET_ACCESS_KEY": "s" * 40}
    berth = start_berth(tmp_path / "given", **given)
    revoked = berth.run("keys", "revoke", "AKIAGIVENBYSETTINGS0")
    assert revoked.returncode == 0
    assert "the next start makes it again" in revoked.stdout
    assert berth.run("keys", "list").stdout == ""
    assert berth.run("migrate").returncode == 0
    assert berth.run("keys", "list").stdout.startswith("AKIAGIVENBYSETTINGS0 ")


def test_rotating_what_seals_passwords_logs_nobody_out(start_berth: Start, shared_data: Path) -> None:
    berth = start_berth(shared_data)
    ecr = boto3.client(
        "ecr",
        endpoint_url=berth.api_url,
        region_name="us-east-1",
        aws_access_key_id=berth.exports()["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=berth.exports()["AWS_SECRET_ACCESS_KEY"],
    )
    for name in ("one", "two"):
        ecr.create_repository(repositoryName=f"rotated/{name}")

    def password() -> str:
        return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])

    def sealing_key(password: str) -> int:
        sealed = base64.b64decode(password).decode().removeprefix("AWS:")
        return int.from_bytes(base64.urlsafe_b64decode(sealed[:8])[:4], "big")

    old, token = password(), ecr.describe_repositories(maxResults=1)["nextToken"]
    rotated = berth.run("keys", "rotate")
    assert (rotated.returncode, rotated.stderr) == (0, "")
    told = re.search("key ([0-9]+) seals passwords and tokens from now on", rotated.stdout)
    assert told
    # PostgreSQL leaves numbers out after a crash.
    newest, before = int(told[1]), sealing_key(old)
    assert newest > before
    assert f"key {before} opens what it sealed; after " in rotated.stdout
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        # Not in all processes yet, but whatever one seals each opens.
        assert {status_with(berth, given) for given in (old, password())} == {(200, "")}
    new = password()
    assert sealing_key(new) == newest
    assert {status_with(berth, given) for given in (old, new) for _ in range(20)} == {(200, "")}
    assert ecr.describe_repositories(maxResults=1, nextToken=token)["repositories"]
