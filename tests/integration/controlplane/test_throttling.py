"""An account that asks more than its rate is told so as AWS tells it, and clients try again by themselves."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

import listener
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.settings import Settings
from berth.throttling.buckets import BURST_SECONDS
from controlplane.app import make_app as make_api
from dataplane.app import make_app as make_registry
from tests.integration.dataplane.conftest import RegistryClient, make_repository, password  # noqa: F401

RATE = 2
HELD = RATE * BURST_SECONDS


@pytest.fixture
def throttled(settings: Settings) -> Settings:
    chosen = {"GetAuthorizationToken": RATE, "BatchGetImage": RATE}
    return settings.model_copy(update={"throttling": "on", "throttling_rates": chosen})


@pytest.fixture
async def throttled_api(throttled: Settings) -> AsyncIterator[str]:
    async with listener.listening(make_api, throttled, "localhost:0") as address:
        yield f"http://{address}"


def client_of(url: str, key: AccessKey, registry: Registry, attempts: int) -> Any:
    return boto3.client(
        "ecr",
        endpoint_url=url,
        region_name=registry.region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=botocore.config.Config(retries={"mode": "standard", "max_attempts": attempts}),
    )


async def test_the_api_says_it_as_aws_does_and_boto3_gets_through(
    throttled_api: str, root_key: AccessKey, registry: Registry
) -> None:
    once = client_of(throttled_api, root_key, registry, 1)

    def exhaust() -> ClientError:
        for _ in range(10 * HELD):
            try:
                once.get_authorization_token()
            except ClientError as error:
                return error
        raise AssertionError("it never was too much")

    error = await asyncio.to_thread(exhaust)
    assert error.response["Error"]["Code"] == "ThrottlingException"
    assert error.response["Error"]["Message"] == "Rate exceeded"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    await asyncio.to_thread(once.describe_registry)
    patient = client_of(throttled_api, root_key, registry, 8)
    for _ in range(3):
        answer = await asyncio.to_thread(patient.get_authorization_token)
        assert answer["authorizationData"]
    once.close()
    patient.close()


async def test_the_registry_answers_429_from_memory_too(
    throttled: Settings,
    client: RegistryClient,
    make_repository: Any,  # noqa: F811
) -> None:
    await make_repository("app")
    digest, _ = await client.push_image("app", "v1")
    async with listener.listening(make_registry, throttled, "localhost:0") as address:
        client.base = f"http://{address}"
        answers = [await client.send("GET", f"app/manifests/{digest}") for _ in range(3 * HELD)]
        good = [answer for answer in answers if answer.status == 200]
        bad = [answer for answer in answers if answer.status != 200]
        assert len(good) >= HELD
        assert {answer.status for answer in bad} == {429}
        assert bad[0].error == {"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}
        assert int(bad[0].headers["Retry-After"]) == 1
        assert (await client.send("GET", "app/tags/list")).status == 200
        await asyncio.sleep(1.1)
        assert (await client.send("HEAD", f"app/manifests/{digest}")).status == 200


@pytest.fixture
async def client(registry_url: str, registry: Registry, password: str) -> AsyncIterator[RegistryClient]:  # noqa: F811
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        yield RegistryClient(session, registry_url, f"/v2/{registry.account}/{registry.region}")
