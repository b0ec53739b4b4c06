"""Wrong credentials are slowed on both planes by the address of the client, and nobody else is."""

import asyncio
import http.client
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import listener
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.names import Registry
from berth.sealing import Seal
from berth.settings import Settings
from berth.throttling.guesses import DELAY_SECONDS, MOST_WAITING
from controlplane.app import make_app as make_api
from dataplane.app import make_app as make_registry

ALLOWED = 5
BAD, GOOD = "192.0.2.1", "192.0.2.2"
# The status of an answer to right or wrong credentials, of the client at an address.
Ask = Callable[[bool, str], Awaitable[tuple[int, str]]]


@pytest.fixture
def wary(settings: Settings) -> Settings:
    changed = {"wrong_credentials": ALLOWED, "trusted_proxies": "127.0.0.1, ::1"}
    return Settings(**{**settings.model_dump(exclude_unset=True), **changed})


@pytest.fixture
async def ask_registry(wary: Settings, database: Database, seal: Seal, root_key: AccessKey) -> AsyncIterator[Ask]:
    password = (await load_keyring(database, seal)).close_password(root_key.principal)[0]
    async with (
        listener.listening(make_registry, wary, "localhost:0") as address,
        aiohttp.ClientSession() as session,
    ):

        async def ask(right: bool, client: str) -> tuple[int, str]:
            given = aiohttp.encode_basic_auth("AWS", password if right else "guessed")
            headers = {"Authorization": given, "X-Forwarded-For": client}
            async with session.get(f"http://{address}/v2/", headers=headers) as answer:
                return answer.status, await answer.text()

        yield ask


@pytest.fixture
async def ask_api(wary: Settings, root_key: AccessKey, registry: Registry) -> AsyncIterator[Ask]:
    async with (
        listener.listening(make_api, wary, "localhost:0") as address,
        aiohttp.ClientSession() as session,
    ):

        async def ask(right: bool, client: str) -> tuple[int, str]:
            headers = {
                "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRegistry",
                "Content-Type": "application/x-amz-json-1.1",
            }
            request = AWSRequest("POST", f"http://{address}/", headers, b"{}")
            secret = root_key.secret if right else "guessed"
            SigV4Auth(Credentials(root_key.id, secret), "ecr", registry.region).add_auth(request)
            signed = {**dict(request.headers), "X-Forwarded-For": client}
            async with session.post(f"http://{address}/", headers=signed, data=b"{}") as answer:
                return answer.status, await answer.text()

        yield ask


@pytest.mark.parametrize("plane", ["registry", "api"])
async def test_guessing_is_slowed(plane: str, ask_registry: Ask, ask_api: Ask) -> None:
    ask, wrong = (ask_registry, http.client.UNAUTHORIZED) if plane == "registry" else (ask_api, http.client.BAD_REQUEST)
    for _ in range(ALLOWED):
        assert (await ask(False, BAD))[0] == wrong
    begun = time.monotonic()
    first = await ask(False, BAD)
    assert first[0] == wrong
    assert time.monotonic() - begun >= DELAY_SECONDS
    # The refused ones are answered at once, the others late.
    crowd = [asyncio.create_task(ask(False, BAD)) for _ in range(3 * MOST_WAITING)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    assert (await ask(True, GOOD))[0] == http.client.OK
    answers = [answer for _, answer in await asyncio.gather(*crowd)]
    refused = "TOOMANYREQUESTS" if plane == "registry" else "ThrottlingException"
    assert 0 < sum(refused in answer for answer in answers) <= 2 * MOST_WAITING
    assert (await ask(True, BAD))[0] == http.client.OK
