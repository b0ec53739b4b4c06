"""The audit log through `kill -9`: what was kept stays, what was counted in the last seconds is lost, and no more."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg
import pytest

from berth.embedded import Cluster
from tests.berth_process import BerthProcess, starting_berth

ACTION = "ecr:GetAuthorizationToken"


@pytest.fixture(scope="module")
def berth(shared_data: Path) -> Iterator[BerthProcess]:
    with starting_berth(shared_data, BERTH_REGISTRY_PROCESSES="1") as berth:
        yield berth


def counted(berth: BerthProcess) -> int:
    with psycopg.connect(Cluster(berth.data).url) as connection:
        row = connection.execute("SELECT sum(requests) FROM audited_requests WHERE action = %s", (ACTION,)).fetchone()
    return int((row and row[0]) or 0)


def test_what_was_kept_survives_kill_9_and_sigterm_loses_nothing(
    berth: BerthProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in berth.exports().items():
        monkeypatch.setenv(name, value)
    ecr = boto3.session.Session().client("ecr")
    before = counted(berth)
    for _ in range(5):
        ecr.get_authorization_token()
    berth.wait_until(lambda: counted(berth) == before + 5)
    for _ in range(3):
        ecr.get_authorization_token()
    plane = berth.child("controlplane")
    plane.kill()
    berth.wait_for_log("controlplane is back")
    berth.wait_until_ready()
    after = counted(berth)
    assert before + 5 <= after <= before + 8, "at most what was counted since it was last kept is lost"
    for _ in range(4):
        ecr.get_authorization_token()
    plane = berth.child("controlplane")
    plane.terminate()
    plane.wait(30)
    berth.wait_until(lambda: counted(berth) == after + 4, seconds=1)


def test_the_question_is_asked_of_a_running_berth(berth: BerthProcess) -> None:
    berth.wait_until_ready()
    policy = berth.data.parent / f"guard-{os.getpid()}.json"
    statement = {"Effect": "Deny", "Action": ACTION, "Resource": "*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    account = "000000000000"
    given = ("iam", "what-if", "--service-control-policy", "guard", "--of", account)
    done = berth.run(*given, "--json", str(policy))
    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    assert answer["newlyRefused"] == counted(berth)
    (only,) = answer["refused"]
    assert (only["principal"], only["action"]) == (f"arn:aws:iam::{account}:root", ACTION)
