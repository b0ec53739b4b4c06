"""A user that `berth iam apply` makes: `aws iam simulate-…` and `berth iam explain` say alike what it may do."""

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.berth_process import BerthProcess

from .aws_cli import AwsCli
from .shell import Shell

pytestmark = pytest.mark.clients("aws")

ACCOUNT = "000000000000"  # Berth's own where BERTH_ACCOUNT_ID is not set
IDENTITIES = """
users:
  NAME:
    inline:
      lists:
        Version: 2012-10-17
        Statement:
          Effect: Allow
          Action: ecr:List*
          Resource: "*"
          Condition: {Bool: {"aws:SecureTransport": "true"}}
"""


@pytest.fixture
def iam(shell: Shell) -> Iterator[AwsCli]:
    with AwsCli(shell, "iam") as cli:
        yield cli


@pytest.fixture
def user(running_berth: BerthProcess, shell: Shell) -> Iterator[str]:
    """The ARN of a new user."""
    name = f"u-{uuid.uuid4().hex[:8]}"
    file = shell.folder / "identities.yaml"
    file.write_text(IDENTITIES.replace("NAME", name))
    shown = running_berth.run("iam", "apply", str(file))
    assert (shown.returncode, shown.stderr) == (3, "")
    assert f"+ user {name}\n" in shown.stdout
    assert running_berth.run("iam", "apply", str(file), "--yes").returncode == 0
    assert running_berth.run("iam", "apply", str(file)).returncode == 0
    yield f"arn:aws:iam::{ACCOUNT}:user/{name}"
    file.write_text(f"users: {{{name}: {{inline: {{}}}}}}")
    assert running_berth.run("iam", "apply", str(file), "--yes").returncode == 0


def test_the_cli_and_berth_say_alike_what_a_user_may_do(running_berth: BerthProcess, iam: AwsCli, user: str) -> None:
    asked = (
        "simulate-principal-policy",
        "--policy-source-arn",
        user,
        "--action-names",
        "ecr:ListImages",
        "ecr:PutImage",
    )
    found = iam(*asked).answer["EvaluationResults"]
    assert [result["EvalDecision"] for result in found] == ["implicitDeny", "implicitDeny"]
    assert found[0]["MissingContextValues"] == ["aws:SecureTransport"]
    secure = "ContextKeyName=aws:SecureTransport,ContextKeyValues=true,ContextKeyType=boolean"
    found = iam(*asked, "--context-entries", secure).answer["EvaluationResults"]
    assert [result["EvalDecision"] for result in found] == ["allowed", "implicitDeny"]
    assert [each["SourcePolicyId"] for each in found[0]["MatchedStatements"]] == ["lists"]
    keys = iam("get-context-keys-for-principal-policy", "--policy-source-arn", user).answer
    assert keys["ContextKeyNames"] == ["aws:SecureTransport"]

    explain = ("iam", "explain", "--principal", user, "--action")
    assert running_berth.run(*explain, "ecr:ListImages").returncode == 3
    assert running_berth.run(*explain, "ecr:ListImages", "--context", "aws:SecureTransport=true").returncode == 0
    explained = running_berth.run(*explain, "ecr:PutImage", "--json")
    assert explained.returncode == 3
    assert json.loads(explained.stdout)["decision"] == "implicitDeny"


def test_the_cli_simulates_a_policy_that_nobody_has(iam: AwsCli) -> None:
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ecr:*","Resource":"*"}}'
    said = iam("simulate-custom-policy", "--policy-input-list", text, "--action-names", "ecr:PutImage")
    (result,) = said.answer["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["MatchedStatements"][0]["StartPosition"] == {"Line": 1, "Column": text.index(":{") + 2}
