"""`berth store`, and a store in a bucket that is not as it should be, as a user meets them."""

import json
import os
from pathlib import Path

import pytest

from tests.berth_process import BerthProcess, launching_berth
from tests.integration.processes.test_commands import berth
from tests.s3_servers import S3Server


def test_verify_reports_for_people_and_for_programs(running_berth: BerthProcess) -> None:
    done = running_berth.run("store", "verify")
    assert (done.returncode, "all is well" in done.stdout) == (0, True)
    done = running_berth.run("store", "verify", "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report.keys() == {"blobs", "bytes", "missing", "wrong", "orphaned"}
    done = running_berth.run("store", "verify", "--repository", "no/such")
    assert (done.returncode, "no/such" in done.stderr) == (1, True)


def test_migrate_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    for source, target, reason in (
        ("file:///a", "file:///a", "FROM and TO are the same"),
        ("ftp://a", "file:///a", "is not file:///FOLDER or s3://BUCKET/PREFIX"),
    ):
        done = berth(tmp_path, "store", "migrate", source, target)
        assert (done.returncode, reason in done.stderr) == (2, True)


def test_without_a_berth_there_is_nothing_to_verify(tmp_path: Path) -> None:
    done = berth(tmp_path, "store", "verify")
    assert done.returncode == 1
    assert "there is no Berth in" in done.stderr


@pytest.mark.parametrize("bucket", ["no-such-bucket", None])
def test_up_and_doctor_say_what_is_wrong_with_the_bucket(real_s3: S3Server, tmp_path: Path, bucket: str | None) -> None:
    variables = real_s3.variables(bucket or real_s3.make_bucket(), "berth")
    reason = "make it, or correct BERTH_STORE"
    if bucket is None:
        variables["BERTH_S3_SECRET_ACCESS_KEY"] = "a-wrong-secret"
        reason = "SignatureDoesNotMatch"
    with launching_berth(tmp_path / "data", **variables) as process:
        assert process.process.wait(60) == 1
    assert reason in process.log
    assert "cannot write to the store s3://" in process.log
    done = berth(tmp_path, "doctor", **variables)
    assert reason in done.stdout
    for text in (process.log, done.stdout, done.stderr):
        assert variables["BERTH_S3_SECRET_ACCESS_KEY"] not in text


def test_secrets_of_the_bucket_are_not_told_by_the_settings(tmp_path: Path) -> None:
    done = berth(tmp_path, "up", BERTH_S3_SECRET_ACCESS_KEY="canary" + os.urandom(4).hex())
    assert done.returncode == 2
    assert "give both, or neither" in done.stderr
    assert "canary" not in done.stdout + done.stderr
