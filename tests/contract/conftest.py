"""The API as the root of a new account has it, raw and by boto3; and a worker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.contract.calls import Line
from tests.integration.conftest import queue, tools, work
from tests.integration.controlplane.conftest import Api, api_of

__all__ = ["api", "line", "queue", "tools", "work"]


@pytest.fixture
async def line(api_url: str, root_key: AccessKey, registry: Registry) -> AsyncIterator[Line]:
    async with Line(api_url.removeprefix("http://"), root_key, registry.region) as line:
        yield line


@pytest.fixture
def api(api_url: str, root_key: AccessKey, registry: Registry) -> Iterator[Api]:
    with api_of("ecr", api_url, root_key, registry.region) as api:
        yield api
