"""Each store that Berth has, so that one test can be of all."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from berth.store.contract import Store
from berth.store.filesystem import FilesystemStore
from berth.store.moving import MovingStore
from berth.store.s3 import S3Store
from tests.s3_servers import S3Server, running_moto
from tests.unit.store.stores import Kind


@pytest.fixture(scope="session")
def moto_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(params=["filesystem", "versitygw", "moto", "moving"])
async def kind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kind]:
    kind = Kind(request.param, _opening(request, tmp_path))
    yield kind
    for store in kind.opened:
        await store.close()


def _opening(request: pytest.FixtureRequest, folder: Path) -> Callable[[str], Store]:
    def file(place: str) -> Store:
        return FilesystemStore(folder / place)

    if request.param == "filesystem":
        return file
    server = request.getfixturevalue("moto_s3" if request.param == "moto" else "real_s3")
    bucket = server.make_bucket()

    def bucket_store(place: str) -> Store:
        return S3Store(server.access(bucket, f"in/{place}"))

    if request.param == "moving":
        return lambda place: MovingStore(bucket_store(place), file(place))
    return bucket_store


@pytest.fixture
def store(kind: Kind) -> Store:
    return kind.open()


@pytest.fixture
def other(kind: Kind) -> Store:
    """The same store, as another process has it."""
    return kind.open()
