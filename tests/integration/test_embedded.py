"""The embedded PostgreSQL: whole or not at all, for its user alone, and gone with whoever started it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from berth.embedded import AccountMissing, Cluster, ClusterBroken, account, leash
from berth.embedded.account import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")


@contextlib.contextmanager
def serving(cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(cluster.command(), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not cluster.answers():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield server
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.set_up()
    return cluster


def test_what_is_acknowledged_survives_kill_9(cluster: Cluster) -> None:
    with serving(cluster) as server, psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS promises (kept int)")
        connection.execute("INSERT INTO promises VALUES (42)")
        server.kill()
        server.wait()
    with serving(cluster), psycopg.connect(cluster.url) as connection:
        assert connection.execute("SELECT kept FROM promises").fetchall() == [(42,)]
        connection.execute("DROP TABLE promises")


def test_it_is_set_up_once(cluster: Cluster) -> None:
    password = cluster.password
    cluster.set_up()
    assert cluster.password == password


def test_a_setup_that_was_cut_off_is_done_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    cluster = Cluster(tmp_path)
    assert not cluster.exists
    cluster.set_up()
    assert cluster.exists
    assert not half.exists()


def test_a_folder_of_another_version_is_left_alone(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.folder.mkdir()
    (cluster.folder / "PG_VERSION").write_text("17\n")
    for start in (cluster.set_up, cluster.command):
        with pytest.raises(ClusterBroken, match="is of PostgreSQL 17, Berth brings 18"):
            start()


def test_a_lost_password_is_told(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.folder.mkdir()
    (cluster.folder / "PG_VERSION").write_text("18\n")
    with pytest.raises(ClusterBroken, match=r"postgres\.password is gone, and with it the way into"):
        cluster.command()
    with pytest.raises(ClusterBroken, match="cannot read"):
        _ = cluster.url


def test_a_deep_folder_has_its_socket_elsewhere(tmp_path: Path) -> None:
    data = tmp_path / ("deep" * 30)
    data.mkdir()
    cluster = Cluster(data)
    cluster.set_up()
    with serving(cluster):
        assert not cluster.socket_folder.is_relative_to(data)
        assert cluster.socket_folder.stat().st_mode & 0o077 == 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", "/nowhere")
            assert cluster.answers(), "a caller with another environment asks the server's own file"
    cluster.socket_folder.rmdir()


def test_a_socket_folder_that_others_may_enter_is_refused(cluster: Cluster) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cluster, "socket_folder", cluster.data / "open")
        cluster.socket_folder.mkdir()
        cluster.socket_folder.chmod(0o777)
        with pytest.raises(ClusterBroken, match="is open to others: remove it"):
            cluster.command()


@pytest.mark.parametrize("has_begun", [True, False])
def test_what_is_on_the_leash_ends_with_its_parent(has_begun: bool) -> None:
    code = (
        "import subprocess, sys\n"
        "from berth.embedded import leash\n"
        "print(subprocess.Popen(leash('/bin/sleep', '600')).pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        while has_begun and child.name() != "sleep":
            time.sleep(0.01)
        parent.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(10)
    assert not child.is_running()


def test_what_cannot_be_started_is_told() -> None:
    done = subprocess.run(leash("/nowhere/program"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot start /nowhere/program: [Errno 2]" in done.stderr


@needs_root
def test_root_has_a_user_of_its_own_run_it(cluster: Cluster) -> None:
    assert cluster.folder.stat().st_uid in account.UNUSED_UIDS
    with serving(cluster) as server:
        process = psutil.Process(server.pid)
        assert process.uids().effective == cluster.folder.stat().st_uid
        assert process.gids().effective == cluster.folder.stat().st_uid
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "Groups:\t \n" in status
        assert "NoNewPrivs:\t1" in status


@needs_root
def test_its_user_gets_no_more_than_it_needs(tmp_path: Path) -> None:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "postgres").touch(0o755)
    open_folder, closed_folder = Path("/usr/share/x"), tmp_path / "x"
    (binaries.parent).chmod(0o700)
    assert account._needed_capability(60700, closed_folder, binaries) == CAP_DAC_READ_SEARCH
    (binaries / "postgres").chmod(0o700)
    assert account._needed_capability(60700, open_folder, binaries) == CAP_DAC_OVERRIDE


@needs_root
def test_where_nobody_can_reach_it_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = tmp_path / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").touch(0o755)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(account, "_permitted_capabilities", lambda: 0)
    with pytest.raises(AccountMissing, match=r"use folders that others may enter \(chmod o\+x\)"):
        account._needed_capability(60700, tmp_path / "data", binaries)


def test_a_user_without_a_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(AccountMissing, match="user id 54321, which has no entry in /etc/passwd"):
        account.for_setup(tmp_path, tmp_path)
