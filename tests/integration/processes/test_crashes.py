"""Whatever is killed comes back; whatever was left behind is cleared away; nothing outlives `berth up`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest

from berth.embedded import Cluster, stop_leftover
from tests.berth_process import BerthProcess, starting_berth

Start = Callable[..., BerthProcess]


@pytest.fixture(scope="module")
def berth(shared_data: Path) -> Iterator[BerthProcess]:
    with starting_berth(shared_data, BERTH_REGISTRY_PROCESSES="2") as berth:
        yield berth


def gone(processes: list[psutil.Process], seconds: float = 20) -> bool:
    return psutil.wait_procs(processes, timeout=seconds)[1] == []


@pytest.mark.parametrize("name", ["controlplane", "dataplane-1", "worker"])
def test_a_crashed_process_is_started_again(berth: BerthProcess, name: str) -> None:
    before = berth.child(name)
    said = berth.log.count(f"{name} ended; it is started again")
    before.kill()
    assert gone([before])
    berth.wait_until(lambda: berth.log.count(f"{name} ended; it is started again") == said + 1)
    berth.wait_until(lambda: berth.has_child(name))
    assert berth.child(name).pid != before.pid
    assert '"ended":"killed by SIGKILL"' in berth.log
    berth.wait_for_log(f"{name} is back")
    berth.wait_until_ready()


def test_when_postgres_is_killed_the_planes_find_the_next_one(
    berth: BerthProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in berth.exports().items():
        monkeypatch.setenv(name, value)
    ecr = boto3.session.Session().client("ecr")
    ecr.create_repository(repositoryName=f"before-{os.getpid()}")
    planes = [berth.child(name).pid for name in ("controlplane", "dataplane", "worker")]
    postgres = berth.child("postgres")
    postgres.kill()
    assert gone([postgres])
    berth.wait_for_log("postgres is back")
    berth.wait_until_ready()
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    assert f"before-{os.getpid()}" in names, "what was acknowledged is there"
    assert [berth.child(name).pid for name in ("controlplane", "dataplane", "worker")] == planes


def test_when_a_backend_is_killed_the_planes_find_the_next_postgres(berth: BerthProcess) -> None:
    """PostgreSQL ends then, for nobody knows what the backend did to the memory that they share."""
    postgres = berth.child("postgres")
    connection = psycopg.connect(Cluster(berth.data).url)
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    connection.close()
    assert gone([postgres])
    berth.wait_until(lambda: berth.has_child("postgres"))
    berth.wait_until_ready()


def test_the_worker_survives_a_restart_of_the_database(berth: BerthProcess) -> None:
    worker = berth.child("worker")
    waits = berth.log.count("waiting for jobs")
    berth.child("postgres").send_signal(signal.SIGINT)
    berth.wait_until(lambda: berth.log.count("waiting for jobs") > waits)
    assert worker.is_running()
    assert "Traceback" not in berth.log


def test_nothing_outlives_a_killed_berth_up(start_berth: Start, tmp_path: Path) -> None:
    berth = start_berth()
    children = psutil.Process(berth.process.pid).children(recursive=True)
    berth.process.kill()
    berth.process.wait()
    assert gone(children)
    again = start_berth()
    assert again.is_ready()


def test_a_postgres_left_behind_is_stopped_at_the_next_start(tmp_path: Path, start_berth: Start) -> None:
    """As by a `berth up` on a system that cannot tie the life of one process to another's."""
    data = tmp_path / "data"
    berth = start_berth(data)
    assert berth.stop() == 0
    leftover = start_untied(data)
    assert leftover.is_running()
    again = start_berth(data)
    assert "stopped a PostgreSQL process that an earlier start left behind" in again.log
    assert gone([leftover])


def start_untied(data: Path) -> psutil.Process:
    """A PostgreSQL on the folder whose parent has ended."""
    code = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from berth.embedded import Cluster\n"
        "command = Cluster(Path(sys.argv[1])).command()\n"
        "command[command.index(str(os.getpid())) + 1] = '0'\n"
        "print(subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "cluster = Cluster(Path(sys.argv[1]))\n"
        "while not cluster.answers(): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(data)], capture_output=True, text=True, timeout=60, check=True
    )
    return psutil.Process(int(done.stdout))


def test_a_recycled_process_id_does_not_stop_postgres(tmp_path: Path) -> None:
    """In a container whose processes are few, the dead server's number is soon another's."""
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n{int(time.time())}\n5432\n/tmp\n\n  0 0\nready\n")
    assert stop_leftover(folder) == []
    assert not (folder / "postmaster.pid").exists()
