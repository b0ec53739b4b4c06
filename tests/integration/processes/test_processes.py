"""Several processes at the registry's port: each restarted by itself, while the others serve."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.berth_process import BerthProcess, free_port, launching_berth, starting_berth

Start = Callable[..., BerthProcess]


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BerthProcess]:
    with starting_berth(tmp_path_factory.mktemp("pair") / "data", BERTH_REGISTRY_PROCESSES="2") as berth:
        yield berth


def place(berth: BerthProcess) -> tuple[str, int]:
    host, _, port = berth.registry_host.rpartition(":")
    return host, int(port)


def answers(berth: BerthProcess) -> bool:
    """Whether a new connection to the registry is answered."""
    connection = http.client.HTTPConnection(*place(berth), timeout=20)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def holds(process: psutil.Process, port: int) -> int:
    """How many connections to the port the process has."""
    connections = process.net_connections("tcp")
    return sum(one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED for one in connections)


def test_both_take_connections(berth: BerthProcess) -> None:
    host, port = place(berth)
    planes = [berth.child(f"dataplane-{number}") for number in (1, 2)]
    connections = [socket.create_connection((host, port)) for _ in range(20)]
    try:
        berth.wait_until(lambda: sum(holds(plane, port) for plane in planes) >= 20)
        assert all(holds(plane, port) >= 4 for plane in planes)
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("name", ["dataplane-1", "dataplane-2"])
def test_while_one_is_started_again_the_other_serves(berth: BerthProcess, name: str) -> None:
    other = berth.child({"dataplane-1": "dataplane-2", "dataplane-2": "dataplane-1"}[name])
    before = berth.child(name)
    said = berth.log.count(f"{name} is back")
    before.kill()
    served = 0
    while berth.log.count(f"{name} is back") == said:
        assert answers(berth)
        served += 1
    assert served > 0
    assert other.is_running()
    assert berth.child(name).pid != before.pid


def test_lines_of_the_log_tell_them_apart(berth: BerthProcess) -> None:
    lines = [json.loads(line) for line in berth.log.splitlines() if line.startswith("{")]
    assert {line["process"] for line in lines if line["event"] == "listening"} >= {
        "controlplane",
        "dataplane-1",
        "dataplane-2",
    }


def test_another_berth_cannot_share_the_port(berth: BerthProcess, tmp_path: Path) -> None:
    with launching_berth(tmp_path / "data", BERTH_REGISTRY_LISTEN=berth.registry_host) as second:
        assert second.process.wait(60) == 1
    assert f"cannot listen at {berth.registry_host}: Address already in use" in second.log
    assert "choose another by BERTH_REGISTRY_LISTEN" in second.log
    assert answers(berth)


def test_nor_can_a_plane_by_itself(berth: BerthProcess, tmp_path: Path) -> None:
    variables = {
        "BERTH_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/berth",
        "BERTH_REGISTRY_LISTEN": berth.registry_host,
    }
    done = subprocess.run(
        [sys.executable, "-m", "dataplane"], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 78
    assert "Address already in use; choose another by BERTH_REGISTRY_LISTEN" in done.stderr


def test_the_doctor_knows_who_listens(berth: BerthProcess) -> None:
    done = berth.run("doctor")
    assert f"registry port {berth.registry_host}: Berth, process" in done.stdout
    assert "✓ data plane" in done.stdout


def test_a_stop_ends_all_and_closes_the_port(start_berth: Start, shared_data: Path) -> None:
    berth = start_berth(shared_data, BERTH_REGISTRY_PROCESSES="3")
    planes = [berth.child(f"dataplane-{number}") for number in (1, 2, 3)]
    assert berth.stop() == 0
    assert not any(plane.is_running() for plane in planes)
    assert not answers(berth)
    assert berth.log.count("finishing the requests under way") == 4


def test_one_process_is_the_data_plane(start_berth: Start, shared_data: Path) -> None:
    berth = start_berth(shared_data, BERTH_REGISTRY_PROCESSES="1", BERTH_REGISTRY_LISTEN=f"127.0.0.1:{free_port()}")
    command = berth.child("dataplane").cmdline()
    assert "--share" not in command
    assert answers(berth)
    assert '"process":"dataplane","event":"listening"' in berth.log


def test_ready_says_whether_it_is(berth: BerthProcess, tmp_path: Path) -> None:
    done = berth.run("ready")
    assert (done.returncode, done.stdout) == (0, "api: ready\nregistry: ready\n")
    assert berth.run("ready", "--only", "registry").stdout == "registry: ready\n"
    done = berth.run("ready", "--only", "api", "--api-listen", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert done.stdout.startswith("api: it does not answer at http://127.0.0.1:")
