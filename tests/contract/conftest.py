"""The API as the root of a new account has it: raw, and by boto3."""

from collections.abc import AsyncIterator

import pytest

from berth.identity.access_keys import AccessKey
from berth.names import Registry
from tests.contract.calls import Line


@pytest.fixture
async def line(api_url: str, root_key: AccessKey, registry: Registry) -> AsyncIterator[Line]:
    async with Line(api_url.removeprefix("http://"), root_key, registry.region) as line:
        yield line
