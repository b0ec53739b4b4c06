"""STS as users, roles and their sessions have it; users and roles are made by the IAM API."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of

As = Callable[..., AbstractContextManager[Api]]
ANYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def trusting(principal: dict[str, Any], *more: str, **conditions: Any) -> str:
    """A trust policy; `more` are actions beside AssumeRole."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", *more]}
    if conditions:
        statement["Condition"] = conditions
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@dataclass(frozen=True)
class User:
    name: str
    id: str
    arn: str
    credentials: dict[str, str]


@dataclass(frozen=True)
class Role:
    id: str
    arn: str


@dataclass
class Account:
    """The test's account, as its root fills it."""

    iam: Api
    id: str

    async def user(self, name: str = "ada", policy: dict[str, Any] | None = None) -> User:
        user = (await self.iam.create_user(UserName=name))["User"]
        key = (await self.iam.create_access_key(UserName=name))["AccessKey"]
        if policy is not None:
            await self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return User(name, user["UserId"], user["Arn"], key)

    async def role(self, trust: str, name: str = "deployer", policy: dict[str, Any] | None = None, **more: Any) -> Role:
        role = (await self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more))["Role"]
        if policy is not None:
            await self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return Role(role["RoleId"], role["Arn"])

    def everybody(self, *more: str, **conditions: Any) -> str:
        """Trust in all of the account whom its own policies let."""
        return trusting({"AWS": f"arn:aws:iam::{self.id}:root"}, *more, **conditions)


@pytest.fixture
async def account(plane: CountedPlane, root_key: AccessKey, registry: Registry) -> AsyncIterator[Account]:
    with api_of("iam", plane.url, root_key, registry.region) as iam:
        yield Account(iam, registry.account)


@pytest.fixture
def as_holder(plane: CountedPlane, registry: Registry) -> As:
    """The API of a service, called with the `Credentials` (or the `AccessKey`) of an answer."""

    @contextlib.contextmanager
    def calling(service: str, credentials: dict[str, Any]) -> Iterator[Api]:
        client = boto3.client(
            service,
            endpoint_url=plane.url,
            region_name=registry.region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False),
        )
        try:
            yield Api(client)
        finally:
            client.close()

    return calling
