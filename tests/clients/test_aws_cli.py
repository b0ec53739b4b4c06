"""The aws CLI: every subcommand that `aws ecr` lists is called, as cli_calls has it, against a running Berth."""

import hashlib
import json
import re
import shlex
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import botocore
import jmespath
import pytest

from tests.berth_process import BerthProcess

from .aws_cli import AwsCli
from .cli_calls import CALLS, Call
from .shell import Shell

pytestmark = pytest.mark.clients("aws")

OCI = "application/vnd.oci.image"
ACCOUNT = "000000000000"  # Berth's own where BERTH_ACCOUNT_ID is not set
NEVER_REACHES_ECR = {"help"}
LIFECYCLE_POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}
REFUSAL = re.compile(r"An error occurred \((\w+)\)")


@pytest.fixture
def newest_model(shell: Shell) -> Shell:
    """The same shell where the CLI sees botocore's newest model of ECR, should its own be older."""
    models = shell.folder / "models"
    models.mkdir()
    (models / "ecr").symlink_to(Path(botocore.__file__).with_name("data") / "ecr")
    return shell.having(AWS_DATA_PATH=str(models))


def test_every_subcommand_is_called(shell: Shell, newest_model: Shell, running_berth: BerthProcess) -> None:
    with AwsCli(shell) as cli, AwsCli(newest_model) as newest:
        own = cli.subcommands()
        assert own | newest.subcommands() == {call.subcommand for call in CALLS} | NEVER_REACHES_ECR
        names = names_for_the_calls(shell.folder, ACCOUNT, running_berth.registry_host)
        wrong = []
        for call in CALLS:
            found = check(cli if call.subcommand in own else newest, call, names)
            wrong += [f"{call.words}: {reason}" for reason in found]
    assert wrong == []


def check(cli: AwsCli, call: Call, names: dict[str, str]) -> Iterator[str]:
    """Run the call, keep what it keeps in `names`, and yield what is not as the call says."""
    said = cli(*shlex.split(Template(call.words).substitute(names)))
    refusal = REFUSAL.search(said.err)
    if (refusal[1] if refusal else "") != call.refused or (said.status == 0) != (not call.refused):
        yield f"{said.status} {said.err.strip()}"
        return
    for path, expected in call.says.items():
        found = jmespath.search(Template(path).substitute(names), said.answer)
        if found != filled(expected, names):
            yield f"{path} is {found!r}"
    for name, path in call.keeps.items():
        names[name] = jmespath.search(path, said.answer)


def filled(expected: Any, names: Mapping[str, str]) -> Any:
    """What is expected, with the names replaced by what they stand for."""
    return json.loads(Template(json.dumps(expected)).substitute(names))


def names_for_the_calls(folder: Path, account: str, host: str) -> dict[str, str]:
    """Write the files that calls read into the folder, and say what each `$name` stands for."""
    layer, config = b"freight", b'{"architecture":"amd64","os":"linux"}'
    image = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": described(f"{OCI}.config.v1+json", config),
        "layers": [described(f"{OCI}.layer.v1.tar", layer)],
    }
    manifest = json.dumps(image).encode()
    subject = described(image["mediaType"], manifest)
    referrer = json.dumps({**image, "artifactType": "application/vnd.berth.note", "subject": subject}).encode()
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    files = {
        "layer": layer,
        "config": config,
        "image.json": manifest,
        "referrer.json": referrer,
        "repository-policy.json": policy(Action="ecr:BatchGetImage", Principal=root),
        "registry-policy.json": policy(
            Action="ecr:ReplicateImage", Principal=root, Resource=f"arn:aws:ecr:us-east-1:{account}:repository/*"
        ),
        "lifecycle-policy.json": json.dumps(LIFECYCLE_POLICY).encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    unique = uuid.uuid4().hex[:12]
    return {
        "account": account,
        "host": host,
        "repository": f"clients/{unique}",
        "prefix": f"clients/upstream-{unique}",
        "layer": digest_of(layer),
        "layer_end": str(len(layer) - 1),
        "config": digest_of(config),
        "config_end": str(len(config) - 1),
        "image": digest_of(manifest),
        "referrer": digest_of(referrer),
        "role": f"arn:aws:iam::{account}:role/scanner-{unique}",
        "secret": f"arn:aws:secretsmanager:us-east-1:{account}:secret:ecr-pullthroughcache/hub",
        "profile": f"arn:aws:signer:us-east-1:{account}:/signing-profiles/harbour",
    }


def policy(**statement: Any) -> bytes:
    """A policy of one statement that allows."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", **statement}]}).encode()


def described(media_type: str, content: bytes) -> dict[str, Any]:
    """An OCI descriptor."""
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def digest_of(content: bytes) -> str:
    """The digest as ECR writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
