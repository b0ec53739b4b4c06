"""A layer of 2 GiB passes through, and no process of Berth ever holds 200 MiB."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.berth_process import BerthProcess, starting_berth

from .api_images import put_image
from .conftest import client_of
from .plain_client import PlainClient, SeededImage, assert_whole
from .seeded import MIB
from .stored import whole

HUGE = 2048 * MIB
LIMIT = 200 * MIB

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks of memory are read from /proc")


@pytest.fixture
def berth() -> Iterator[BerthProcess]:
    """Run a Berth of its own, so that the peaks are this test's."""
    with tempfile.TemporaryDirectory(prefix="berth-memory-") as folder, starting_berth(Path(folder) / "data") as berth:
        yield berth


def peaks(berth: BerthProcess) -> dict[str, int]:
    """Read the most memory that each process ever had resident (VmHWM, shared pages included), in bytes."""
    up = psutil.Process(berth.process.pid)
    found = {}
    for process in (up, *up.children(recursive=True)):
        name = " ".join(process.cmdline())[:100]
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        found[f"{process.pid} {name}"] = int(fields["VmHWM"].split()[0]) * 1024
    return found


def assert_all_below_limit(berth: BerthProcess) -> None:
    above = {name: peak // MIB for name, peak in peaks(berth).items() if peak >= LIMIT}
    assert not above, f"MiB: {above}"


def test_a_layer_of_2_gib_is_pushed_and_pulled_with_each_process_below_200_mib(berth: BerthProcess) -> None:
    ecr = client_of(berth.exports())
    ecr.create_repository(repositoryName="huge")
    client = PlainClient.logged_in(ecr, berth.registry_host)
    digest = SeededImage("2-gib", seed=2048, sizes=(HUGE,)).push(client, "huge")
    assert_whole(client, "huge", "2-gib", digest)
    whole(ecr, "huge", imageTag="2-gib")
    assert_all_below_limit(berth)


@pytest.mark.clients("busybox")
def test_a_layer_of_200_mib_sent_in_parts_through_the_api_leaves_each_process_below_200_mib(
    berth: BerthProcess, build_context: Path
) -> None:
    ecr = client_of(berth.exports())
    ecr.create_repository(repositoryName="parts")
    put_image(ecr, "parts", "200-mib", (build_context / "layer.bin").read_bytes())
    whole(ecr, "parts", imageTag="200-mib")
    assert_all_below_limit(berth)
