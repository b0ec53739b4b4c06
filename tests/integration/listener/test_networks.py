"""Conditions on networks and policies of VPC endpoints, on both planes, as with AWS PrivateLink."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import listener
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.repositories import documents
from berth.settings import Settings
from controlplane.app import make_app as make_api
from dataplane.app import make_app as make_registry
from tests.identities import document
from tests.integration.dataplane.conftest import RegistryClient, make_repository, password  # noqa: F401
from tests.integration.listener.plane import connection
from tests.integration.listener.test_proxy_protocol import header

ENDPOINT, OTHER = "vpce-08d2bf15fac5001c9", "vpce-0000000000000000f"
TOLD, TOLD_OTHER = (header("10.1.2.3", (0xEA, b"\x01" + each.encode())) for each in (ENDPOINT, OTHER))
NOT_TOLD = header("203.0.113.9")
NAME = "team/app"
Ask = Callable[[bytes], Awaitable[int]]


@pytest.fixture
def endpoint_policy(tmp_path: Path) -> Path:
    file = tmp_path / "endpoint.json"
    file.write_text(document({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGet*", "Resource": "*"}))
    return file


@pytest.fixture
async def client(registry_url: str, registry: Registry, password: str) -> AsyncIterator[RegistryClient]:  # noqa: F811
    headers = {"Authorization": aiohttp.encode_basic_auth("AWS", password)}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        yield RegistryClient(session, registry_url, f"/v2/{registry.account}/{registry.region}")


@pytest.fixture
async def image(client: RegistryClient, make_repository: Any) -> RegistryClient:  # noqa: F811
    await make_repository(NAME)
    await client.push_image(NAME, "v1")
    return client


async def status_of(address: listener.Address, before: bytes, head: str, body: bytes = b"") -> int:
    async with connection(address, before=before) as (reader, writer):
        writer.write(head.encode() + body)
        line = await asyncio.wait_for(reader.readline(), 10)
        return int(line.split()[1])


@contextlib.asynccontextmanager
async def registry_plane(settings: Settings, password: str, client: RegistryClient) -> AsyncIterator[Ask]:  # noqa: F811
    authorization = aiohttp.encode_basic_auth("AWS", password)
    async with listener.listening(make_registry, settings, "127.0.0.1:0", is_proxied=True) as address:

        async def ask(before: bytes, *fields: str) -> int:
            head = [
                f"GET {client.prefix}/{NAME}/manifests/v1 HTTP/1.1",
                f"Host: {address}",
                f"Authorization: {authorization}",
                *fields,
            ]
            # Twice: what is remembered is no different.
            first, again = [await status_of(address, before, "\r\n".join([*head, "", ""])) for _ in range(2)]
            assert first == again
            return again

        yield ask


@contextlib.asynccontextmanager
async def api_plane(settings: Settings, key: AccessKey, registry: Registry) -> AsyncIterator[Ask]:
    async with listener.listening(make_api, settings, "127.0.0.1:0", is_proxied=True) as address:

        async def ask(before: bytes, operation: str = "BatchGetImage", **more: Any) -> int:
            body = json.dumps({"repositoryName": NAME, **more}).encode()
            headers = {
                "Host": str(address),
                "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
            }
            request = AWSRequest("POST", f"http://{address}/", headers, body)
            SigV4Auth(Credentials(key.id, key.secret), "ecr", registry.region).add_auth(request)
            fields = {**dict(request.headers), "Content-Length": str(len(body))}
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            return await status_of(address, before, f"POST / HTTP/1.1\r\n{head}\r\n", body)

        yield ask


async def test_a_repository_policy_knows_the_endpoint_and_its_vpc(
    settings: Settings,
    database: Database,
    registry: Registry,
    root_key: AccessKey,
    image: RegistryClient,
    password: str,  # noqa: F811
) -> None:
    networks = {"inside": {"cidrs": ["10.1.0.0/16"], "vpc": "vpc-1", "vpce": ENDPOINT}}
    changed = Settings(
        **{**settings.model_dump(exclude_unset=True), "trusted_proxies": "127.0.0.1", "networks": networks}
    )
    conditions = (
        {"StringNotEquals": {"aws:SourceVpce": ENDPOINT}},
        {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
        {"NotIpAddress": {"aws:VpcSourceIp": "10.1.0.0/16"}},
    )
    images = {"imageIds": [{"imageTag": "v1"}]}
    async with (
        registry_plane(changed, password, image) as pull,
        api_plane(changed, root_key, registry) as call,
    ):
        for condition in conditions:
            statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage", "Condition": condition}
            await documents.set_policy(database, registry, NAME, document(statement))
            # By the endpoint that the balancer tells, and by the address of the client.
            for before in (TOLD, header("10.1.9.9")):
                assert (await pull(before), await call(before, **images)) == (200, 200), condition
            # The third of them is about an address, which is the same through any endpoint.
            others = (NOT_TOLD,) if "NotIpAddress" in condition else (NOT_TOLD, TOLD_OTHER)
            for before in others:
                assert (await pull(before), await call(before, **images)) == (403, 400), condition


async def test_an_endpoint_policy_limits_what_comes_through_its_endpoint(
    settings: Settings,
    registry: Registry,
    root_key: AccessKey,
    image: RegistryClient,
    password: str,  # noqa: F811
    endpoint_policy: Path,
) -> None:
    networks = {"inside": {"vpce": ENDPOINT, "policy": str(endpoint_policy)}}
    changed = Settings(
        **{**settings.model_dump(exclude_unset=True), "trusted_proxies": "127.0.0.1", "networks": networks}
    )
    images = {"imageIds": [{"imageTag": "v1"}]}
    async with (
        registry_plane(changed, password, image) as pull,
        api_plane(changed, root_key, registry) as call,
    ):
        assert (await pull(TOLD), await call(TOLD, **images)) == (200, 200)
        assert await call(TOLD, "DescribeImages") == 400
        endpoint_policy.write_text(document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}))
        for before in (NOT_TOLD, TOLD_OTHER):
            assert (await pull(before), await call(before, "DescribeImages")) == (200, 200)
    async with registry_plane(changed, password, image) as pull:
        # From memory, too: it is known what the root may do.
        assert [await pull(before) for before in (NOT_TOLD, TOLD, NOT_TOLD, TOLD)] == [200, 403, 200, 403]


async def test_a_trusted_proxy_tells_the_endpoint_by_its_header(
    settings: Settings,
    database: Database,
    registry: Registry,
    image: RegistryClient,
) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "ecr:BatchGetImage",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": ENDPOINT}},
    }
    await documents.set_policy(database, registry, NAME, document(statement))
    for trusted, expected in (("127.0.0.1, ::1", (200, 403, 403, 403)), ("10.0.0.1", (403, 403, 403, 403))):
        changed = Settings(
            **{
                **settings.model_dump(exclude_unset=True),
                "trusted_proxies": trusted,
                "vpc_endpoint_header": "X-Vpc-Endpoint",
            }
        )
        async with listener.listening(make_registry, changed, "localhost:0") as address:
            image.base = f"http://{address}"
            told = [{"X-Vpc-Endpoint": ENDPOINT}, {"X-Vpc-Endpoint": OTHER}, {"X-Vpc-Endpoint": "vpce-!"}, {}]
            answers = [await image.send("GET", f"{NAME}/manifests/v1", headers=headers) for headers in told]
            assert tuple(answer.status for answer in answers) == expected
