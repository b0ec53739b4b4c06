"""A real `berth up` for tests: its folder, its ports, its processes, and what it says."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from berth.networks.tls import client_context

BERTH = Path(sys.executable).with_name("berth")
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass
class BerthProcess:
    """`berth up`, running."""

    data: Path
    api_url: str
    registry_url: str
    process: subprocess.Popen[bytes]
    log_file: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def registry_host(self) -> str:
        return self.registry_url.partition("://")[2]

    def child(self, name: str) -> psutil.Process:
        """The process `controlplane`, `dataplane` (the first of them; `dataplane-2`), `worker` or `postgres`."""
        found = self._children(name)
        assert found, f"there is no {name}: {self.log[-2000:]}"
        return found[0]

    def has_child(self, name: str) -> bool:
        return bool(self._children(name))

    def _children(self, name: str) -> list[psutil.Process]:
        marks = ("/postgres -D ",) if name == "postgres" else (f" -m {name} ", f" -m berth.{name}s", f" --name {name} ")
        found = []
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = " ".join(process.cmdline())
                if "leash.py" not in command and any(mark in command for mark in marks):
                    found.append(process)
        return found

    def is_ready(self) -> bool:
        return all(answers_ready(url) for url in (self.api_url, self.registry_url))

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            assert self.process.poll() is None, f"berth up ended with {self.process.returncode}:\n{self.log}"
            assert time.monotonic() < deadline, f"berth up is not ready after {seconds} s:\n{self.log}"
            time.sleep(0.05)

    def wait_for_log(self, text: str, seconds: float = 30) -> None:
        self.wait_until(lambda: text in self.log, seconds)

    def wait_until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not so after {seconds} s; it said:\n{self.log}"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run another command of Berth with the same settings."""
        return subprocess.run(
            [str(BERTH), *command],
            env=self.environment,
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def exports(self) -> dict[str, str]:
        """The variables that `eval "$(berth env)"` sets."""
        script = f'eval "$({BERTH} env)" && env -0'
        done = subprocess.run(["bash", "-c", script], env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
        return {name: value for name, value in variables.items() if name.startswith("AWS_")}


def answers_ready(url: str) -> bool:
    try:
        context = client_context() if url.startswith("https") else None
        with urllib.request.urlopen(f"{url}/readyz", timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    """A port that nobody listens at; none of those that the kernel gives to whoever connects, from 32768 on."""
    while True:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextlib.contextmanager
def launching_berth(data: Path, *flags: str, **variables: str) -> Iterator[BerthProcess]:
    """`berth up` on the folder `data`, with `variables` in its environment; it may fail to start."""
    api, registry = f"localhost:{free_port()}", f"localhost:{free_port()}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(data.parent),
        "BERTH_DATA": str(data),
        "BERTH_API_LISTEN": api,
        "BERTH_REGISTRY_LISTEN": registry,
        **variables,
    }
    data.parent.mkdir(parents=True, exist_ok=True)
    log_file = data.parent / f"{data.name}-{os.urandom(4).hex()}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [str(BERTH), "up", *flags],
            env=environment,
            cwd=data.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    scheme = "https" if "BERTH_TLS_CERTIFICATE" in environment else "http"
    berth = BerthProcess(
        data,
        f"{scheme}://{environment['BERTH_API_LISTEN']}",
        f"{scheme}://{environment['BERTH_REGISTRY_LISTEN']}",
        process,
        log_file,
        environment,
    )
    try:
        yield berth
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            finally:
                process.kill()
                process.wait()


@contextlib.contextmanager
def starting_berth(data: Path, *flags: str, **variables: str) -> Iterator[BerthProcess]:
    """`berth up` on the folder `data`, ready."""
    with launching_berth(data, *flags, **variables) as berth:
        berth.wait_until_ready()
        berth.wait_for_log("Ctrl-C stops it")
        yield berth
