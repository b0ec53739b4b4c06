"""No secret of a run gets into its logs, not even those of debugging."""

import base64
import http.client
from collections.abc import Callable
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError

from berth.embedded import Cluster
from tests.berth_process import BerthProcess


def ask(url: str, method: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request(method, path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_no_secret_is_logged(
    start_berth: Callable[..., BerthProcess], shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    berth = start_berth(shared_data, BERTH_LOG_LEVEL="debug")
    exports = berth.exports()
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    ecr = boto3.client("ecr")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode().partition(":")[2]
    wrong = boto3.client(
        "ecr",
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="canary-of-a-wrong-secret",
    )
    with pytest.raises(ClientError):
        wrong.describe_registry()
    statuses = [
        ask(berth.registry_url, "GET", "/v2/", {"Authorization": f"Basic {token}"}),
        ask(berth.registry_url, "GET", "/v2/", {"Authorization": f"Bearer {password}"}),
        ask(berth.registry_url, "GET", "/v2/", {"Authorization": "Basic Y2FuYXJ5OmNhbmFyeS1wYXNzd29yZA=="}),
        ask(berth.api_url, "GET", "/?X-Amz-Signature=canary-signature&X-Amz-Security-Token=canary-session", {}),
    ]
    assert statuses[0] == 200
    berth.child("postgres").kill()
    berth.wait_for_log("postgres is back")
    secrets = {
        "the root's secret": exports["AWS_SECRET_ACCESS_KEY"],
        "the registry password": password,
        "its Basic form": token,
        "the database's password": Cluster(shared_data).password,
        "the master key": (shared_data / "master.key").read_text().strip(),
        "what came from outside": "canary",
        "that in Base64": "Y2FuYXJ5",
    }
    assert berth.stop() == 0
    for name, secret in secrets.items():
        assert secret not in berth.log, name
    assert '"level":"debug"' in berth.log


def test_files_with_secrets_are_for_their_owner_alone(running_berth: BerthProcess) -> None:
    for name in ("master.key", "postgres.password", "lock", "postgres", "socket", "store"):
        assert (running_berth.data / name).stat().st_mode & 0o077 == 0, name
    assert running_berth.data.stat().st_mode & 0o066 == 0


def test_the_database_takes_nobody_but_berth(running_berth: BerthProcess) -> None:
    cluster = Cluster(running_berth.data)
    for change in (("berth:", "postgres:"), (cluster.password, "wrong"), ("/berth?", "/postgres?")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cluster.url.replace(*change), connect_timeout=5)
    with psycopg.connect(cluster.url) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'berth'"
        ).fetchone()
        assert row == (False, False, False)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")
