"""`berth account`: an account is made, worked in, closed and opened again while Berth serves."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.berth_process import BERTH, BerthProcess, starting_berth

# The promise.
SECONDS = 1.0


@pytest.fixture(scope="module")
def berth(shared_data: Path) -> Iterator[BerthProcess]:
    with starting_berth(shared_data) as berth:
        yield berth


@pytest.fixture
def account(berth: BerthProcess) -> str:
    """A new account."""
    made = berth.run("account", "create", "--name", "Team One")
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[1]


def client(berth: BerthProcess, account: str, service: str = "ecr", region: str = "us-east-1") -> Any:
    """A client as the root of the account, by what `berth env` exports."""
    lines = berth.run("env", "--account", account).stdout.splitlines()
    exports = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    return boto3.client(
        service,
        endpoint_url=exports["AWS_ENDPOINT_URL_ECR"],
        region_name=region,
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"].strip("'"),
    )


def status_with(berth: BerthProcess, password: str) -> int:
    request = urllib.request.Request(f"{berth.registry_url}/v2/", headers={"Authorization": f"Basic {password}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_root_of_a_new_account_works_in_it_in_every_region(berth: BerthProcess, account: str) -> None:
    assert client(berth, account, "sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:root"
    for region in ("us-east-1", "eu-central-1"):
        ecr = client(berth, account, region=region)
        made = ecr.create_repository(repositoryName="team/app")["repository"]
        assert made["repositoryArn"] == f"arn:aws:ecr:{region}:{account}:repository/team/app"
        assert len(ecr.describe_repositories()["repositories"]) == 1
    assert client(berth, "000000000000").describe_repositories()["repositories"] == []


def test_a_closed_account_denies_everything_and_keeps_what_it_has(berth: BerthProcess, account: str) -> None:
    ecr = client(berth, account)
    ecr.create_repository(repositoryName="kept")
    password = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert {status_with(berth, password) for _ in range(20)} == {200}

    closed = berth.run("account", "close", account)
    assert (closed.returncode, closed.stderr) == (0, "")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        status_with(berth, password)
    assert {status_with(berth, password) for _ in range(20)} == {403}
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        ecr.describe_repositories()
    env = berth.run("env", "--account", account)
    assert (env.returncode, env.stdout) == (1, "false\n")
    line = f'eval "$({BERTH} env --account {account})" && echo in another account'
    shell = subprocess.run(["bash", "-c", line], env=berth.environment, capture_output=True, text=True, timeout=60)
    assert (shell.returncode, shell.stdout, shell.stderr) == (1, "", env.stderr)
    assert f"`berth account reopen {account}`" in env.stderr
    assert f"{account}  since " in berth.run("account", "list").stdout

    assert berth.run("account", "reopen", account).returncode == 0
    assert ecr.describe_repositories()["repositories"][0]["repositoryName"] == "kept"
    assert {status_with(berth, password) for _ in range(20)} == {200}


def test_the_list_has_the_account_that_was_there_from_the_start(berth: BerthProcess, account: str) -> None:
    listed = {line.split()[0]: line for line in berth.run("account", "list").stdout.splitlines()}
    assert "open" in listed["000000000000"]
    assert listed[account].endswith("UTC  open  Team One")


def test_a_given_number_is_taken_once(berth: BerthProcess) -> None:
    made = berth.run("account", "create", "123456789012", "--env")
    assert made.returncode == 0, made.stderr
    assert "export AWS_SECRET_ACCESS_KEY=" in made.stdout
    for words, complaint in {
        ("create", "123456789012"): "there is an account 123456789012 already",
        ("create", "12345"): "'12345' is not an account id of 12 digits",
        ("create", "--name", "x" * 51): "is not the name of an account",
        ("close", "999999999999"): "there is no account '999999999999'",
        ("reopen", "999999999999"): "there is no account '999999999999'",
        ("close", "000000000000"): "is this Berth's own",
    }.items():
        refused = berth.run("account", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert complaint in refused.stderr
    unknown = berth.run("env", "--account", "999999999999")
    assert (unknown.returncode, unknown.stdout) == (1, "false\n")
    assert "`berth account create 999999999999` makes it" in unknown.stderr


def test_service_control_policies_by_file(berth: BerthProcess, account: str, tmp_path: Path) -> None:
    denial = {"Effect": "Deny", "Action": "ecr:CreateRepository", "Resource": "*"}
    file = tmp_path / "no-new.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
    put = berth.run("account", "scp", "set", account, str(file))
    assert (put.returncode, put.stdout) == (0, f"account {account}: FullAWSAccess, no-new\n")
    shown = json.loads(berth.run("account", "scp", "show", account, "--json").stdout)
    assert shown["no-new"]["Statement"] == [denial]
    assert "no-new\n{" in berth.run("account", "scp", "show", account).stdout
    time.sleep(SECONDS)
    with pytest.raises(ClientError, match="with an explicit deny in a service control policy"):
        client(berth, account).create_repository(repositoryName="one")

    removed = berth.run("account", "scp", "remove", account)
    assert (removed.returncode, removed.stdout) == (0, f"account {account}: FullAWSAccess\n")
    time.sleep(SECONDS)
    client(berth, account).create_repository(repositoryName="one")

    file.write_text("{")
    for words, complaint in {
        ("set", account, str(file)): "no-new: Syntax errors in policy.",
        ("set", account, str(file), str(file)): "two files would be the policy 'no-new'",
        ("show", "999999999999"): "there is no account '999999999999'",
        ("remove", account, "FullAWSAccess"): "it is the last",
    }.items():
        refused = berth.run("account", "scp", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert complaint in refused.stderr
