"""`berth up`: one command starts it all, and one signal stops it all."""

import fcntl
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import boto3
import psutil
import pytest

from tests.berth_process import BERTH, BerthProcess, free_port, launching_berth

Start = Callable[..., BerthProcess]


def test_it_prints_what_a_newcomer_types_next(running_berth: BerthProcess) -> None:
    lines = running_berth.log.splitlines()
    host = running_berth.registry_host
    steps = [line.strip() for line in lines if line.startswith("  ") and not re.match(r"\s+[✓…]", line)]
    assert steps == [
        f'eval "$({BERTH} env --data {running_berth.data})"',
        "aws ecr create-repository --repository-name hello",
        f"aws ecr get-login-password | docker login --username AWS --password-stdin {host}",
        f"docker tag IMAGE {host}/hello && docker push {host}/hello",
    ]


def test_the_exports_are_all_that_boto3_needs(running_berth: BerthProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in running_berth.exports().items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session()
    assert session.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    assert session.client("ecr").describe_registry()["registryId"] == "000000000000"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(start_berth: Start, shared_data: Path, number: signal.Signals) -> None:
    berth = start_berth(shared_data)
    children = psutil.Process(berth.process.pid).children(recursive=True)
    assert len(children) > 4
    assert berth.stop(number) == 0
    assert [child for child in children if child.is_running()] == []
    assert "database system is shut down" not in berth.log  # said at debug only
    assert berth.log.rstrip().endswith("stopped")
    assert (berth.data / "postgres" / "postmaster.pid").exists() is False


def test_ctrl_c_on_a_terminal_stops_everything(tmp_path: Path) -> None:
    """On a terminal the signal goes to the whole foreground group, but the children must not stop before their time."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"there are no terminals here: {error}")
    environment = {
        "PATH": os.environ["PATH"],
        "BERTH_API_LISTEN": f"localhost:{free_port()}",
        "BERTH_REGISTRY_LISTEN": f"localhost:{free_port()}",
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        [str(BERTH), "up", "--data", str(tmp_path / "data")],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C stops it" not in said:
        said += os.read(ours, 10_000)
    os.write(ours, b"\x03")
    assert process.wait(60) == 0
    said += os.read(ours, 100_000)
    assert b"ended; it is started again" not in said
    assert b"\x1b[" in said, "lines for people have colours"
    os.close(ours)


def test_a_second_one_says_who_holds_the_folder(running_berth: BerthProcess) -> None:
    second = running_berth.run("up")
    assert second.returncode == 1
    assert f"in use by process {running_berth.process.pid} since 20" in second.stderr
    assert running_berth.registry_host in second.stderr
    assert running_berth.is_ready()


@pytest.mark.parametrize("setting", ["BERTH_API_LISTEN", "BERTH_REGISTRY_LISTEN"])
def test_a_port_in_use_is_named_by_its_setting(tmp_path: Path, shared_data: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"localhost:{taken.getsockname()[1]}"
        with launching_berth(shared_data, **{setting: address}) as berth:
            assert berth.process.wait(60) == 1
    assert f"berth: cannot listen at {address}: Address already in use; choose another by {setting}" in berth.log


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = f"postgresql://berth:canary-secret@127.0.0.1:{free_port()}/berth"
    with launching_berth(tmp_path / "data", BERTH_DATABASE_URL=url) as berth:
        assert berth.process.wait(60) == 1
    assert "the PostgreSQL of BERTH_DATABASE_URL does not answer" in berth.log
    assert "Connection refused" in berth.log
    assert "canary-secret" not in berth.log


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with launching_berth(tmp_path / "data", BERTH_STORE=f"file://{tmp_path}/file/store") as berth:
        assert berth.process.wait(60) == 1
    assert "BERTH_STORE" in berth.log


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with launching_berth(tmp_path / "data", BERTH_DATA=f"{tmp_path}/file/data") as berth:
        assert berth.process.wait(60) == 1
    assert f"cannot use the data folder {tmp_path}/file/data (BERTH_DATA): Not a directory" in berth.log


def test_the_root_key_can_be_given(start_berth: Start, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"BERTH_ROOT_ACCESS_KEY_ID": "AKIAGIVENGIVENGIVEN1", "BERTH_ROOT_SECRET_ACCESS_KEY": "it's $(given) `here`"}
    berth = start_berth(shared_data, **given)
    exports = berth.exports()
    assert exports["AWS_SECRET_ACCESS_KEY"] == "it's $(given) `here`"
    del berth.environment["BERTH_ROOT_ACCESS_KEY_ID"], berth.environment["BERTH_ROOT_SECRET_ACCESS_KEY"]
    assert berth.exports() == exports, "it is the newest, so it stays"
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    assert boto3.session.Session().client("sts").get_caller_identity()["Account"] == "000000000000"


def test_it_listens_on_both_families(running_berth: BerthProcess) -> None:
    port = int(running_berth.registry_host.rpartition(":")[2])
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port), 5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_flags_come_before_variables(start_berth: Start, shared_data: Path) -> None:
    api = f"[::1]:{free_port()}"
    berth = start_berth(shared_data, "--region", "eu-west-1", BERTH_REGION="us-west-2", BERTH_API_LISTEN=api)
    del berth.environment["BERTH_REGION"], berth.environment["BERTH_API_LISTEN"]
    exports = berth.exports()
    assert exports["AWS_REGION"] == "eu-west-1", "berth env asks the berth up that runs"
    assert exports["AWS_ENDPOINT_URL_ECR"] == f"http://{api}"


@pytest.mark.parametrize("module", ["controlplane", "dataplane", "berth.workers"])
@pytest.mark.parametrize(
    ("variables", "reason"),
    [({}, "BERTH_DATABASE_URL: the "), ({"BERTH_REGION": "Mars"}, "BERTH_REGION: 'Mars' is not a region")],
)
def test_a_process_by_itself_says_what_it_lacks(
    tmp_path: Path, module: str, variables: dict[str, str], reason: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert done.stderr.startswith(reason)
    assert len(done.stderr.splitlines()) == 1
