"""Container engines of our own: a Docker engine and a containerd, each in folders that go when it stops."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

START_DEADLINE = 60
STOP_DEADLINE = 30


@contextlib.contextmanager
def docker_engine() -> Iterator[str]:
    """Run a Docker engine without networks; yield its DOCKER_HOST. It takes 127.0.0.0/8 for insecure registries."""
    with _engine_folder("docker") as folder:
        command = ["dockerd", "--iptables=false", "--bridge=none", "--data-root", f"{folder}/data"]
        command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "-H", f"unix://{folder}/engine.sock"]
        with _running(command, folder, ["docker", "-H", f"unix://{folder}/engine.sock", "info"]):
            yield f"unix://{folder}/engine.sock"


@contextlib.contextmanager
def docker_engine_on_containerd() -> Iterator[str]:
    """Run a Docker engine that keeps images in containerd's store, indexes and all; yield its DOCKER_HOST."""
    with _engine_folder("docker29") as folder:
        command = ["moby-dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none"]
        command += ["--config-file", f"{folder}/daemon.json", "--data-root", f"{folder}/data"]
        command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "-H", f"unix://{folder}/engine.sock"]
        (folder / "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
        # Debian's docker speaks an older version of the engine's API than this engine would take by itself
        oldest = {"DOCKER_MIN_API_VERSION": "1.41"}
        with _running(command, folder, ["docker", "-H", f"unix://{folder}/engine.sock", "info"], oldest):
            yield f"unix://{folder}/engine.sock"


@contextlib.contextmanager
def containerd() -> Iterator[str]:
    """Run a containerd without its Kubernetes plugin; yield the path of its socket."""
    with _engine_folder("containerd") as folder:
        (folder / "config.toml").write_text(
            f'version = 2\nroot = "{folder}/data"\nstate = "{folder}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{folder}/engine.sock"\n[ttrpc]\naddress = "{folder}/ttrpc.sock"\n'
        )
        ready = ["ctr", "--address", f"{folder}/engine.sock", "version"]
        with _running(["containerd", "--config", f"{folder}/config.toml"], folder, ready):
            yield f"{folder}/engine.sock"


@contextlib.contextmanager
def containerd_of_a_node() -> Iterator[tuple[str, Path]]:
    """Run a containerd as a Kubernetes node does; yield its socket's path, and the folder of its hosts.toml files."""
    with _engine_folder("node") as folder:
        (folder / "certs.d").mkdir()
        (folder / "config.toml").write_text(
            f'version = 2\nroot = "{folder}/data"\nstate = "{folder}/state"\n'
            f'[grpc]\naddress = "{folder}/engine.sock"\n[ttrpc]\naddress = "{folder}/ttrpc.sock"\n'
            '[plugins."io.containerd.grpc.v1.cri"]\nstream_server_address = "127.0.0.1"\n'
            f'[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{folder}/certs.d"\n'
            '[plugins."io.containerd.internal.v1.opt"]\n'
            f'path = "{folder}/opt"\n'
        )
        ready = ["crictl", "--runtime-endpoint", f"unix://{folder}/engine.sock", "version"]
        with _running(["containerd", "--config", f"{folder}/config.toml"], folder, ready):
            yield f"{folder}/engine.sock", folder / "certs.d"


@contextlib.contextmanager
def _engine_folder(name: str) -> Iterator[Path]:
    # not pytest's folder: the path of a socket has room for 107 characters
    folder = Path(tempfile.mkdtemp(prefix=f"berth-{name}-"))
    try:
        yield folder
    finally:
        for mount in reversed(_mounts_below(folder)):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(folder)


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [point for point in (line.split()[1] for line in lines) if point.startswith(f"{folder}/")]


@contextlib.contextmanager
def _running(
    command: list[str], folder: Path, ready: list[str], variables: Mapping[str, str] | None = None
) -> Iterator[None]:
    log, environment = folder / "log", os.environ | dict(variables or {})
    with log.open("wb") as sink:
        engine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=folder, env=environment
        )
    try:
        deadline = time.monotonic() + START_DEADLINE
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            if engine.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not run: {log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield
    finally:
        engine.terminate()
        try:
            engine.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()
