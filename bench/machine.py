"""Where and when it was measured."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.samples import GIB


@dataclass(frozen=True, slots=True)
class Machine:
    when: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    commit: str

    def __str__(self) -> str:
        return (
            f"{self.when}, Berth at {self.commit}, Python {self.python}; {self.cores} cores of {self.processor}, "
            f"{self.memory_gib:.0f} GiB, {self.system}"
        )


def this_machine() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return Machine(
        datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _processor(),
        os.cpu_count() or 0,
        memory,
        f"{platform.system()} {platform.release()}",
        platform.python_version(),
        _commit(),
    )


def load_averages() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False, timeout=30
        )
    except OSError:
        return "an unknown commit"
    return done.stdout.strip() or "an unknown commit"
