"""The credential chains of the aws CLI: profiles with role_arn, credential_process, a web identity token file."""

import asyncio
import contextlib
import json
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.berth_process import starting_berth
from tests.oidc_server import OidcServer, running_oidc

from .shell import ProgramFailed, Shell

pytestmark = pytest.mark.clients("aws")

ANYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
LOOKING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:Describe*", "Resource": "*"}}


def as_user(shell: Shell, name: str) -> Shell:
    """The same shell as a new user that may do anything, without the root's key."""
    shell("aws", "iam", "create-user", "--user-name", name)
    document = json.dumps(ANYTHING)
    own = ("--user-name", name, "--policy-name", "own", "--policy-document", document)
    shell("aws", "iam", "put-user-policy", *own)
    key = shell.json("aws", "iam", "create-access-key", "--user-name", name)["AccessKey"]
    return shell.having(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])


def create_role(shell: Shell, name: str, trust: dict[str, Any]) -> str:
    """Its ARN; it may only look."""
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **trust}})
    role = shell.json("aws", "iam", "create-role", "--role-name", name, "--assume-role-policy-document", document)
    policy = ("--policy-name", "looking", "--policy-document", json.dumps(LOOKING))
    shell("aws", "iam", "put-role-policy", "--role-name", name, *policy)
    arn: str = role["Role"]["Arn"]
    return arn


def with_profiles(shell: Shell, text: str) -> Shell:
    """The same shell with these profiles, and no keys in variables, which would come before them."""
    file = shell.folder / "aws-config"
    file.write_text(text)
    kept = {name: value for name, value in shell.environment.items() if "ACCESS_KEY" not in name}
    return Shell(shell.folder, {**kept, "AWS_CONFIG_FILE": str(file)})


def test_a_profile_assumes_roles_one_after_the_other(shell: Shell) -> None:
    name = f"chain-{uuid.uuid4().hex[:8]}"
    user = as_user(shell, name)
    account = shell.json("aws", "sts", "get-caller-identity")["Account"]
    first = create_role(
        shell,
        f"{name}-first",
        {
            "Principal": {"AWS": f"arn:aws:iam::{account}:user/{name}"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "secret-7"}},
        },
    )
    second = create_role(shell, f"{name}-second", {"Principal": {"AWS": first}, "Action": "sts:AssumeRole"})
    process = shell.folder / "process"
    answer = {
        "Version": 1,
        "AccessKeyId": user.environment["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": user.environment["AWS_SECRET_ACCESS_KEY"],
    }
    process.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    process.chmod(0o700)
    profiled = with_profiles(
        shell,
        f"[profile user]\ncredential_process = {process}\n"
        f"[profile first]\nrole_arn = {first}\nsource_profile = user\nexternal_id = secret-7\n"
        "role_session_name = one\nduration_seconds = 900\n"
        f"[profile second]\nrole_arn = {second}\nsource_profile = first\nrole_session_name = two\n"
        f"[profile wrong]\nrole_arn = {first}\nsource_profile = user\nexternal_id = secret-8\n",
    )
    for profile, arn in (
        ("user", f"arn:aws:iam::{account}:user/{name}"),
        ("first", f"arn:aws:sts::{account}:assumed-role/{name}-first/one"),
        ("second", f"arn:aws:sts::{account}:assumed-role/{name}-second/two"),
    ):
        assert profiled.json("aws", "--profile", profile, "sts", "get-caller-identity")["Arn"] == arn
        assert profiled.json("aws", "--profile", profile, "ecr", "describe-repositories")["repositories"] is not None
    creating = ("ecr", "create-repository", "--repository-name", f"{name}/app")
    with pytest.raises(ProgramFailed, match="because no identity-based policy allows the ecr:CreateRepository action"):
        profiled("aws", "--profile", "second", *creating)
    with pytest.raises(ProgramFailed, match=r"is not authorized to perform: sts:AssumeRole on resource: "):
        profiled("aws", "--profile", "wrong", "sts", "get-caller-identity")


def test_credentials_of_get_session_token_serve_as_a_process(shell: Shell) -> None:
    name = f"process-{uuid.uuid4().hex[:8]}"
    given = as_user(shell, name).json("aws", "sts", "get-session-token", "--duration-seconds", "900")["Credentials"]
    process = shell.folder / "process"
    process.write_text(f"#!/bin/sh\necho '{json.dumps({'Version': 1, **given})}'\n")
    process.chmod(0o700)
    profiled = with_profiles(shell, f"[profile process]\ncredential_process = {process}\n")
    caller = profiled.json("aws", "--profile", "process", "sts", "get-caller-identity")
    assert caller["Arn"].endswith(f":user/{name}")
    assert profiled("aws", "--profile", "process", "ecr", "get-login-password")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[OidcServer]:
    """An OpenID Connect provider beside the test."""
    ready, stop, found = threading.Event(), threading.Event(), []

    async def serve() -> None:
        async with running_oidc(folder) as server:
            found.append(server)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield found[0]
    finally:
        stop.set()
        thread.join()


def test_a_job_with_a_token_file_becomes_a_role_and_does_no_more_than_it_may(scratch: Path) -> None:
    (scratch / "oidc").mkdir()
    with (
        serving(scratch / "oidc") as oidc,
        starting_berth(
            scratch / "data", BERTH_ALLOWED_NETWORKS="127.0.0.0/8,::1", BERTH_OUTGOING_CA=str(oidc.authority)
        ) as berth,
    ):
        shell = Shell.isolated(scratch, berth.exports())
        url = ("--url", oidc.issuer, "--client-id-list", "sts.amazonaws.com")
        made = shell.json("aws", "iam", "create-open-id-connect-provider", *url)
        role = create_role(
            shell,
            "job",
            {
                "Principal": {"Federated": made["OpenIDConnectProviderArn"]},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringLike": {f"{oidc.host}:sub": "repo:octo-org/octo-repo:*"}},
            },
        )
        file = scratch / "token"
        job = with_profiles(
            shell, f"[profile job]\nrole_arn = {role}\nweb_identity_token_file = {file}\nrole_session_name = job-7\n"
        ).having(AWS_PROFILE="job")
        file.write_text(oidc.token({"sub": "repo:octo-org/octo-repo:ref:refs/heads/main", "aud": "sts.amazonaws.com"}))
        arn = job.json("aws", "sts", "get-caller-identity")["Arn"]
        assert arn.endswith(":assumed-role/job/job-7")
        assert job.json("aws", "ecr", "describe-repositories") == {"repositories": []}
        with pytest.raises(ProgramFailed, match="because no identity-based policy allows the ecr:CreateRepository"):
            job("aws", "ecr", "create-repository", "--repository-name", "team/app")
        # The CLI keeps the credentials that it got.
        shutil.rmtree(scratch / ".aws/cli/cache")
        file.write_text(oidc.token({"sub": "repo:evil/octo-repo:ref:refs/heads/main", "aud": "sts.amazonaws.com"}))
        with pytest.raises(ProgramFailed, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
            job("aws", "sts", "get-caller-identity")
