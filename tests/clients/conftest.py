"""What a client test starts from: a shell of its own, logged in nowhere, a repository, an image to push, an engine.

`@pytest.mark.clients("docker", "aws")` names the programs that a test drives. Where one is missing the test is skipped,
and says so; with BERTH_REQUIRE_CLIENTS=1, as in CI, it fails.
"""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.absences import absent
from tests.berth_process import BerthProcess, starting_berth

from . import engines
from .seeded import MIB, write_seeded
from .shell import Shell

HERE = Path(__file__).parent
# Several parts of an upload, and beyond what is received in one piece; and what a layer may come to in practice.
LAYER_SIZE = 40 * MIB
LARGE_LAYER_SIZE = 200 * MIB
LONGEST_SECONDS = 900  # a whole life under Terraform takes one minute of CPU, on two cores that others want too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = {program for marker in item.iter_markers("clients") for program in marker.args}
    missing = sorted(program for program in wanted if not shutil.which(program))
    if {"dockerd", "moby-dockerd", "containerd", "podman", "buildah"} & wanted and os.geteuid():
        missing.append("root (an engine needs it)")
    if missing:
        absent(f"not on this machine: {', '.join(missing)}")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Make a folder for hundreds of megabytes, gone with the test (pytest keeps its own for three runs)."""
    folder = Path(tempfile.mkdtemp(prefix="berth-client-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def running_berth() -> Iterator[BerthProcess]:
    """Run `berth up` in a folder that goes at the end: what clients push comes to gigabytes."""
    with tempfile.TemporaryDirectory(prefix="berth-served-") as folder, starting_berth(Path(folder) / "data") as berth:
        yield berth


@pytest.fixture(scope="session")
def exports(running_berth: BerthProcess) -> dict[str, str]:
    """Say `eval "$(berth env)"` and note what it set."""
    return running_berth.exports()


@pytest.fixture
def shell(scratch: Path, exports: dict[str, str]) -> Shell:
    """Open a shell where `eval "$(berth env)"` was said."""
    return Shell.isolated(scratch, exports)


@pytest.fixture
def ecr(exports: dict[str, str]) -> Iterator[Any]:
    """Make a boto3 client as a program under `berth env` would."""
    client = client_of(exports)
    yield client
    client.close()


def client_of(exports: dict[str, str]) -> Any:
    """A boto3 client for ECR with what `berth env` exports."""
    return boto3.client(
        "ecr",
        endpoint_url=exports["AWS_ENDPOINT_URL_ECR"],
        verify=exports.get("AWS_CA_BUNDLE"),
        region_name=exports["AWS_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )


@dataclass(frozen=True)
class Repository:
    """A repository on the running Berth: its name, and the URI that clients push to."""

    name: str
    uri: str

    @property
    def host(self) -> str:
        """The registry's host:port."""
        return self.uri.split("/", 1)[0]


@pytest.fixture
def repository(ecr: Any) -> Iterator[Repository]:
    """Create a repository; delete it, with all that was pushed, after the test."""
    name = f"clients/{uuid.uuid4().hex[:12]}"
    yield Repository(name, ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"])
    ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def password(shell: Shell) -> str:
    """Get the registry password as everyone does: `aws ecr get-login-password`."""
    return shell("aws", "ecr", "get-login-password")


@pytest.fixture(scope="session")
def build_context() -> Iterator[Path]:
    """Fill the folder that images are built from: Debian's static busybox and 40 MiB that do not compress.

    Its folder `small` makes an image without the 40 MiB, for the second platform of an index.
    """
    with filled_context(LAYER_SIZE) as folder:
        yield folder


@pytest.fixture(scope="session")
def large_build_context() -> Iterator[Path]:
    """The same with 200 MiB, where it is their number that matters."""
    with filled_context(LARGE_LAYER_SIZE) as folder:
        yield folder


@contextlib.contextmanager
def filled_context(size: int) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="berth-context-"))
    shutil.copy(shutil.which("busybox") or "/bin/busybox", folder / "busybox")
    write_seeded(folder / "layer.bin", seed=200, size=size)
    (folder / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/busybox\nCOPY layer.bin /layer.bin\n"
        'ENTRYPOINT ["/bin/busybox"]\nCMD ["sha256sum", "/layer.bin"]\n'
    )
    (folder / "small").mkdir()
    shutil.copy(folder / "busybox", folder / "small/busybox")
    (folder / "small/Dockerfile").write_text("FROM scratch\nCOPY busybox /bin/busybox\n")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """Run one Docker engine for all tests of this worker; its DOCKER_HOST."""
    with engines.docker_engine() as address:
        yield address


@pytest.fixture(scope="session")
def containerd_store_host() -> Iterator[str]:
    """Run one Docker engine with the containerd image store for all tests of this worker; its DOCKER_HOST."""
    with engines.docker_engine_on_containerd() as address:
        yield address


@pytest.fixture(scope="session")
def containerd_address() -> Iterator[str]:
    """Run one containerd for all tests of this worker; the path of its socket."""
    with engines.containerd() as address:
        yield address


@pytest.fixture
def docker_shell(shell: Shell, docker_host: str, repository: Repository) -> Shell:
    """Open a shell that talks to the Docker engine and is logged in, by the README's own line."""
    engine = shell.having(DOCKER_HOST=docker_host)
    line = f"aws ecr get-login-password | docker login --username AWS --password-stdin {repository.host}"
    assert "Login Succeeded" in engine("sh", "-ec", line)
    return engine
