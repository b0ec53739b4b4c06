"""A plane that listens on a free port, however a test wants it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

import listener
from berth.settings import Settings
from tests.authority import Authority
from tests.integration.listener.plane import Plane

Listen = Callable[..., AbstractAsyncContextManager[listener.Address]]


@pytest.fixture
async def plane() -> Plane:
    return Plane()


@pytest.fixture
def listen(plane: Plane, settings: Settings) -> Listen:
    """Serves the plane at an IPv4 address, with settings changed as given."""

    @contextlib.asynccontextmanager
    async def listening(*, is_proxied: bool = False, **changed: object) -> AsyncIterator[listener.Address]:
        changed_settings = Settings(**{**settings.model_dump(exclude_unset=True), **changed})
        async with listener.listening(
            plane.make_app, changed_settings, "127.0.0.1:0", is_proxied=is_proxied
        ) as address:
            yield address

    return listening


@pytest.fixture
async def url(plane: Plane, settings: Settings) -> AsyncIterator[str]:
    async with listener.listening(plane.make_app, settings, "localhost:0") as address:
        yield f"http://{address}"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(authority: Authority, tmp_path: Path) -> dict[str, Path]:
    """Settings with a certificate for berth.test and localhost."""
    return authority.issue(tmp_path)
