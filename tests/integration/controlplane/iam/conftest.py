"""The IAM API as the root of the test's account has it, and as a user of it has."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.identity.principals import Principal
from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of

# An API of a service, called with an access key that CreateAccessKey gave.
As = Callable[[str, dict[str, str]], AbstractContextManager[Api]]


@pytest.fixture
async def iam(plane: CountedPlane, root_key: AccessKey, registry: Registry) -> AsyncIterator[Api]:
    await plane.hears()
    with api_of("iam", plane.url, root_key, registry.region) as api:
        yield api


@pytest.fixture
def as_key(plane: CountedPlane, registry: Registry) -> As:
    """The API of a service by the `AccessKey` of an answer."""

    @contextlib.contextmanager
    def calling(service: str, key: dict[str, str]) -> Iterator[Api]:
        nobody = Principal.root(registry.account, key["AccessKeyId"])
        credentials = AccessKey(key["AccessKeyId"], key["SecretAccessKey"], nobody)
        with api_of(service, plane.url, credentials, registry.region) as api:
            yield api

    return calling
