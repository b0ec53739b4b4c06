"""A control plane whose statements are counted, and clients that say exactly what the tests want said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.config
import pytest
from aiohttp import web
from botocore.exceptions import ClientError

import controlplane.app
import listener
from berth.changes.ear import Ear
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.settings import Settings
from tests.contract import answers, xml_answers
from tests.hearing import nothing_is_underway, patient, until_it_hears

# The errors that any operation may answer (ECR API reference, "Common Errors"), and those of the Query protocol.
NOT_MODELLED = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidSignatureException",
    "SerializationException",
    "UnrecognizedClientException",
    "ValidationException",
    "InvalidClientTokenId",
    "InvalidParameterValue",
    "SignatureDoesNotMatch",
    "ValidationError",
}


@dataclass
class CountedPlane:
    """A control plane on a real socket, and every statement that it has sent to PostgreSQL."""

    url: str
    ear: Ear
    statements: list[str] = field(default_factory=list)

    def note(self, statement: str) -> None:
        """Of those that are sent while a request is served: what was asked is kept beside them, every few seconds."""
        if "audited_" not in statement:
            self.statements.append(statement)

    async def hears(self) -> None:
        """Wait until it remembers what it finds, and has heard all that was told before."""
        await until_it_hears(self.ear)
        await nothing_is_underway(self.ear._url)

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements that are sent while the context lasts."""
        before = len(self.statements)
        counted: list[str] = []
        yield counted
        counted += self.statements[before:]


@pytest.fixture(scope="session")
async def plane(settings: Settings, registry_url: str) -> AsyncIterator[CountedPlane]:
    made: list[web.Application] = []

    def make_app(settings: Settings) -> web.Application:
        made.append(controlplane.app.make_app(settings))
        return made[0]

    there = settings.model_copy(update={"registry_listen": registry_url.removeprefix("http://")})
    with patient():
        async with listener.listening(make_app, there, "localhost:0") as address:
            plane = CountedPlane(f"http://{address}", made[0][controlplane.app.PLANE]._opened.ear)
            made[0][listener.DATABASE].count_statements(plane.note)
            yield plane


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str
    status: int
    response: dict[str, Any]


class Api:
    """A boto3 client, awaited; it checks no parameter itself, so that the server has to, and every answer strictly."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, operation: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        method = getattr(self.client, operation)

        async def call(**members: Any) -> dict[str, Any]:
            answer: dict[str, Any] = await asyncio.to_thread(method, **members)
            return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

        return call

    async def refused(self, operation: str, **members: Any) -> Refusal:
        """How the server refuses the call."""
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(getattr(self.client, operation), **members)
        response: dict[str, Any] = dict(caught.value.response)
        error = response["Error"]
        name = self.client.meta.method_to_api_mapping[operation]
        errors = self.client.meta.service_model.operation_model(name).error_shapes
        modelled = {shape.metadata.get("error", {}).get("code", shape.name) for shape in errors}
        assert error["Code"] in modelled | NOT_MODELLED, f"{name} has no error {error['Code']}"
        return Refusal(error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"], response)

    async def pages(self, operation: str, **members: Any) -> list[dict[str, Any]]:
        """All the pages that botocore's paginator gets."""
        paginator = self.client.get_paginator(operation)
        return await asyncio.to_thread(lambda: list(paginator.paginate(**members)))


@contextlib.contextmanager
def api_of(service: str, url: str, key: AccessKey, region: str, **options: Any) -> Iterator[Api]:
    client = boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False, **options),
    )
    if service == "ecr":
        client.meta.events.register("before-parse.ecr", answers.check_before_parse)
    else:
        client.meta.events.register(f"before-parse.{service}", xml_answers.check_before_parse)
    try:
        yield Api(client)
    finally:
        client.close()


@pytest.fixture
async def api(plane: CountedPlane, root_key: AccessKey, registry: Registry) -> AsyncIterator[Api]:
    """The ECR API as the root of the test's account has it."""
    await plane.hears()
    with api_of("ecr", plane.url, root_key, registry.region) as api:
        yield api


@pytest.fixture
async def sts(plane: CountedPlane, root_key: AccessKey, registry: Registry) -> AsyncIterator[Api]:
    await plane.hears()
    with api_of("sts", plane.url, root_key, registry.region) as api:
        yield api
