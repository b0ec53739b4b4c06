"""The CPU time of a server, whichever of its processes used it, and whether that lives or not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.cpu import ProcessTree, used_between

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"
# Burns in a child that ends and in one that lives, and says when both have burnt.
SERVER = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}])
child = subprocess.Popen([sys.executable, "-c", {BURN!r} + "print('burnt', flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sys.stdin.readline()
child.stdout.readline()
print("ready", flush=True)
sys.stdin.readline()
child.communicate(b"\\n")
"""


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=-1, stdout=-1, text=True) as process:
        yield process
        process.communicate("\n")


def test_time_of_ended_and_of_living_children_counts(server: subprocess.Popen[str]) -> None:
    tree = ProcessTree(server.pid, lambda command: "child" if "burnt" in command[-1] else "other")
    before = tree.seconds()
    assert server.stdin
    assert server.stdout
    server.stdin.write("\n")
    server.stdin.flush()
    assert server.stdout.readline() == "ready\n"
    used = used_between(before, tree.seconds())
    assert tree.seconds()["child"] >= 0.29
    assert sum(tree.seconds().values()) >= 0.58
    assert all(seconds >= 0 for seconds in used.values())
