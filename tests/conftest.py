"""What the tests stand on: a real PostgreSQL, both planes on real sockets, and a registry of its own for each test."""

import contextlib
import importlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import hypothesis
import pytest

import listener
from berth.database import migrations
from berth.database.db import Database
from berth.embedded import Cluster
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal, master_seal
from berth.settings import Settings
from tests.absences import absent
from tests.berth_process import BerthProcess, starting_berth
from tests.s3_servers import S3Server, running_versitygw, versitygw

# No example fails for being slow on a busy machine: timings gate no test.
hypothesis.settings.register_profile("berth", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("berth")

# The tests kill processes, not machines.
FAST = ("--fsync=off", "--synchronous_commit=off", "--full_page_writes=off")


@pytest.fixture(scope="session", autouse=True)
def only_our_settings() -> Iterator[None]:
    """Whatever AWS_… and BERTH_… settings this machine has, they are not the tests'."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "BERTH_")) and not name.startswith("BERTH_TEST_"):
                patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        yield


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded PostgreSQL of this worker's own, migrated."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as (url, _):
        yield url


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A new PostgreSQL, migrated: its URL, and its process, which the test may end."""
    cluster = Cluster(folder)
    cluster.set_up()
    server = subprocess.Popen([*cluster.command(), *FAST], stderr=subprocess.DEVNULL)
    try:
        _wait_for(cluster.answers, server)
        migrations.upgrade(cluster.url)
        yield cluster.url, server
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _wait_for(answers: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if answers():
            return
        assert server.poll() is None, "PostgreSQL ended while it was starting"
        time.sleep(0.05)
    raise AssertionError("PostgreSQL does not answer")


@pytest.fixture(scope="session")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        data=tmp_path_factory.mktemp("data"), database_url=postgres_url, throttling="off", wrong_credentials=0
    )


@pytest.fixture(scope="session")
def seal(settings: Settings) -> Seal:
    return master_seal(settings)


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url
    database = Database(settings.database_url.get_secret_value())
    yield database
    await database.close()


@pytest.fixture
def registry(settings: Settings) -> Registry:
    """A registry that no other test sees: that of a new account."""
    return Registry(f"{secrets.randbelow(10**12):012}", settings.region)


@pytest.fixture
async def root_key(database: Database, seal: Seal, registry: Registry) -> AccessKey:
    """The access key of the root of the test's account."""
    return await access_keys.create_root(database, seal, registry.account)


@pytest.fixture(scope="session")
async def registry_url(settings: Settings) -> AsyncIterator[str]:
    """The data plane in this process; http://HOST:PORT."""
    async with _plane("dataplane", settings) as url:
        yield url


@pytest.fixture(scope="session")
async def api_url(settings: Settings, registry_url: str) -> AsyncIterator[str]:
    """The control plane in this process, which names the data plane of `registry_url`; http://HOST:PORT."""
    there = settings.model_copy(update={"registry_listen": registry_url.removeprefix("http://")})
    async with _plane("controlplane", there) as url:
        yield url


@contextlib.asynccontextmanager
async def _plane(name: str, settings: Settings) -> AsyncIterator[str]:
    make_app = importlib.import_module(f"{name}.app").make_app
    async with listener.listening(make_app, settings, "localhost:0") as address:
        yield f"http://{address}"


@pytest.fixture
def ecr(api_url: str, root_key: AccessKey, registry: Registry) -> Iterator[Any]:
    """A boto3 client of the test's account. It blocks: call it by `asyncio.to_thread`."""
    client = boto3.client(
        "ecr",
        endpoint_url=api_url,
        region_name=registry.region,
        aws_access_key_id=root_key.id,
        aws_secret_access_key=root_key.secret,
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def running_berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BerthProcess]:
    """A real `berth up` with its own data folder and ports, shared by the tests that leave its processes alone."""
    with starting_berth(tmp_path_factory.mktemp("berth")) as berth:
        yield berth


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for tests that each start a Berth on it, one after the other, without a look at what is in it."""
    return tmp_path_factory.mktemp("shared") / "data"


@pytest.fixture
def start_berth(tmp_path: Path) -> Iterator[Callable[..., BerthProcess]]:
    """Starts `berth up`, in the test's folder unless another is given, for tests that do it harm."""
    with contextlib.ExitStack() as stack:

        def start(data: Path | None = None, *flags: str, **environment: str) -> BerthProcess:
            return stack.enter_context(starting_berth(data or tmp_path / "data", *flags, **environment))

        yield start


@pytest.fixture(scope="session")
def real_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, where it is installed."""
    if versitygw() is None:
        absent("not on this machine: versitygw")
    folder = tmp_path_factory.mktemp("versitygw")
    with running_versitygw(folder) as server:
        yield server
    shutil.rmtree(folder)
