"""A bucket gives what it holds at once, then its rate; another account's, region's or action's is another one."""

import multiprocessing
import time
from pathlib import Path

import pytest

from berth.throttling.buckets import BURST_SECONDS, Throttle
from berth.throttling.cells import CELLS, PROBES, Cells, tag_of
from berth.throttling.rates import documented, rates

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

PUT = "ecr:PutImage"
ASKED = ("000000000000", "us-east-1", PUT)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The machine's clock, which the test moves on."""
    now = [10**15]
    monkeypatch.setattr(time, "monotonic_ns", lambda: now[0])
    return now


def taken(throttle: Throttle, asked: tuple[str, str, str] = ASKED, times: int = 1000) -> int:
    return sum(throttle.wait(*asked) == 0 for _ in range(times))


def test_the_burst_then_the_rate(clock: list[int]) -> None:
    throttle = Throttle({PUT: 10}, Cells())
    assert taken(throttle) == 10 * BURST_SECONDS
    assert throttle.wait(*ASKED) == pytest.approx(0.1)
    clock[0] += 10**9
    assert taken(throttle) == 10
    clock[0] += 3600 * 10**9
    assert taken(throttle) == 10 * BURST_SECONDS


def test_each_account_region_and_action_has_its_own(clock: list[int]) -> None:
    throttle = Throttle({PUT: 1, "ecr:BatchGetImage": 1}, Cells())
    assert taken(throttle) == BURST_SECONDS
    for other in (
        ("000000000001", "us-east-1", PUT),
        ("000000000000", "eu-west-1", PUT),
        ("000000000000", "us-east-1", "ecr:BatchGetImage"),
    ):
        assert taken(throttle, other) == BURST_SECONDS


def test_what_has_no_rate_is_free() -> None:
    throttle = Throttle({PUT: 1}, Cells())
    for action in ("ecr:ListImages", None):
        assert all(throttle.wait("000000000000", "us-east-1", action) == 0 for _ in range(1000))
    assert not Throttle({}, Cells()).is_on


def test_processes_of_a_machine_take_from_the_same_bucket(tmp_path: Path, clock: list[int]) -> None:
    first, second = (Throttle({PUT: 10}, Cells(tmp_path)) for _ in range(2))
    assert taken(first, times=60) == 60
    assert taken(second) == 40
    assert first.wait(*ASKED) > 0
    first.close()
    second.close()


def test_a_folder_that_is_none_is_no_fault(tmp_path: Path) -> None:
    cells = Cells(tmp_path / "nowhere")
    assert not cells.is_shared
    assert Throttle({PUT: 10}, cells).wait(*ASKED) == 0
    cells.close()


def test_a_crowded_table_gives_every_bucket_a_cell(clock: list[int]) -> None:
    cells = Cells()
    tags = [tag_of(str(number)) for number in range(2 * CELLS)]
    for tag in tags:
        place = cells.find(tag)
        cells.numbers[place + 1] = clock[0]
    assert 0 not in cells.numbers[0 : 2 * CELLS : 2].tolist()[PROBES:-PROBES]
    assert cells.numbers[cells.find(tags[-1])] == tags[-1]


def test_a_bucket_whose_cell_was_given_away_finds_another(clock: list[int]) -> None:
    cells = Cells()
    throttle = Throttle({PUT: 10}, cells)
    assert throttle.wait(*ASKED) == 0
    place = cells.find(tag_of("/".join(ASKED)))
    cells.numbers[place] = 12345
    assert taken(throttle) == 10 * BURST_SECONDS


def test_the_documented_rates() -> None:
    """ECR user guide, "Amazon ECR service quotas"."""
    assert documented() == {
        "BatchCheckLayerAvailability": 1000,
        "BatchGetImage": 2000,
        "CompleteLayerUpload": 100,
        "GetAuthorizationToken": 500,
        "GetDownloadUrlForLayer": 3000,
        "InitiateLayerUpload": 100,
        "PutImage": 10,
        "UploadLayerPart": 500,
    }
    chosen = rates({"PutImage": 7, "BatchGetImage": 0, "ListImages": 3}, 2)
    assert chosen["ecr:PutImage"] == 7
    assert chosen["ecr:ListImages"] == 3
    assert chosen["ecr:UploadLayerPart"] == 1000
    assert "ecr:BatchGetImage" not in chosen


def _take_for(folder: Path, seconds: float, pipe: "multiprocessing.connection.Connection") -> None:
    throttle = Throttle({PUT: 2000}, Cells(folder))
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        # Whoever did nothing but ask would mostly be interrupted while it changes a cell, as no plane is.
        if missing := throttle.wait(*ASKED):
            time.sleep(missing)
        else:
            count += 1
    pipe.send(count)


def test_several_processes_together_keep_the_rate(tmp_path: Path) -> None:
    """Each takes as soon as it may from a bucket that begins empty."""
    empty = Throttle({PUT: 2000}, Cells(tmp_path))
    begun = time.monotonic()
    before = taken(empty, times=2000 * BURST_SECONDS)
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(3):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=_take_for, args=(tmp_path, 2.0, sending))
        process.start()
        pipes.append(receiving)
        processes.append(process)
    counts = [pipe.recv() for pipe in pipes]
    lasted = time.monotonic() - begun
    for process in processes:
        process.join()
    empty.close()
    assert before + sum(counts) <= 2000 * BURST_SECONDS + 1.2 * 2000 * lasted
