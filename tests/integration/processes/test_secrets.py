"""No secret of a run gets into its logs, not even those of debugging, nor into answers or the list of processes."""

import base64
import http.client
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

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


def answer_of(url: str, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> str:
    """All of the answer: its head, where addresses are, and its body."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = f"{answer.status} {answer.headers}\n{answer.read().decode(errors='replace')}"
    connection.close()
    return text


def use_credentials_of_every_kind(berth: BerthProcess) -> tuple[str, dict[str, str]]:
    """What was answered to requests, good and bad, of a user, of a session and with registry passwords of both, and
    the secrets that they hold. What hands out a secret is not among the answers.
    """
    root = boto3.session.Session()
    iam, sts = root.client("iam"), root.client("sts")
    name = f"somebody-{token_hex(4)}"
    iam.create_user(UserName=name)
    every = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["ecr:GetAuth*","sts:*"],"Resource":"*"}}'
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=every)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    session = boto3.client("sts", **given).get_session_token()["Credentials"]
    its = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    found = {
        "a user's secret": key["SecretAccessKey"],
        "a session's secret": session["SecretAccessKey"],
        "a session token": session["SessionToken"],
        "a session token in an address": quote(session["SessionToken"], safe=""),
    }
    told = []
    for which, credentials in (("a user", given), ("a session", its)):
        ecr = boto3.client("ecr", **credentials)
        basic = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        password = base64.b64decode(basic).decode().partition(":")[2]
        found |= {f"the registry password of {which}": password, f"its Basic form, of {which}": basic}
        with pytest.raises(ClientError) as denied:
            ecr.create_repository(repositoryName="canaries/never")
        told.append(str(denied.value.response).replace(key["AccessKeyId"], ""))
        for given_so in (basic, basic[:-8] + "AAAAAAA=", base64.b64encode(f"x:{password}".encode()).decode()):
            for method, path in (
                ("GET", "/v2/"),
                ("GET", "/v2/canaries/never/manifests/latest"),
                ("POST", "/v2/canaries/never/blobs/uploads/"),
            ):
                told.append(answer_of(berth.registry_url, method, path, {"Authorization": f"Basic {given_so}"}))
        # Presigned, where the token is in the address; then with a signature that is no good.
        url = boto3.client("sts", **credentials).generate_presigned_url("get_caller_identity")
        path = url.removeprefix(berth.api_url)
        for asked in (path, path[:-4] + "0000", path.replace("Action=", "Action=x")):
            told.append(answer_of(berth.api_url, "GET", asked, {}))
    wrong = boto3.client("sts", **(its | {"aws_session_token": its["aws_session_token"][:-6] + "AAAAAA"}))
    with pytest.raises(ClientError) as refused:
        wrong.get_caller_identity()
    told.append(str(refused.value.response))
    assert sts.get_caller_identity()["Account"]
    return "\n".join(told), found


def command_lines(pid: int) -> str:
    """Of the process and all that it started. (The environment of a process only its owner can read.)"""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return "\n".join([own, *(command_lines(int(child)) for child in children)])


def test_no_secret_gets_out(
    start_berth: Callable[..., BerthProcess], shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    berth = start_berth(shared_data, BERTH_LOG_LEVEL="debug")
    exports = berth.exports()
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    ecr = boto3.session.Session().client("ecr")
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
    told, of_users = use_credentials_of_every_kind(berth)
    secrets = {
        **of_users,
        "the root's secret": exports["AWS_SECRET_ACCESS_KEY"],
        "the registry password": password,
        "its Basic form": token,
        "the database's password": Cluster(shared_data).password,
        "the master key": (shared_data / "master.key").read_text().strip(),
        "what came from outside": "canary",
        "that in Base64": "Y2FuYXJ5",
    }
    listed = command_lines(berth.process.pid)
    assert "dataplane" in listed
    assert "postgres" in listed
    berth.child("postgres").kill()
    berth.wait_for_log("postgres is back")
    assert berth.stop() == 0
    for name, secret in secrets.items():
        for where, text in {"the log": berth.log, "an answer": told, "the list of processes": listed}.items():
            assert secret not in text, f"{name} is in {where}"
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
