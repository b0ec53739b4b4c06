"""Who calls, with what password they reach the registry, and that nobody reaches another account's."""

import asyncio
import base64
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal
from tests.integration.controlplane.conftest import Api, CountedPlane, Refusal, api_of

ANOTHER = "210987654321"


async def test_the_caller_is_the_root_of_its_account(sts: Api, registry: Registry) -> None:
    assert await sts.get_caller_identity() == {
        "UserId": registry.account,
        "Account": registry.account,
        "Arn": f"arn:aws:iam::{registry.account}:root",
    }


async def test_a_password_of_the_api_opens_the_registry_it_names(api: Api) -> None:
    data = (await api.get_authorization_token())["authorizationData"]
    assert len(data) == 1
    remaining = data[0]["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < remaining <= timedelta(hours=12)
    token = data[0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    request = urllib.request.Request(f"{data[0]['proxyEndpoint']}/v2/", headers={"Authorization": f"Basic {token}"})
    assert await asyncio.to_thread(status_of, request) == 200


def status_of(request: urllib.request.Request) -> int:
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


async def test_a_password_is_given_for_each_registry_that_is_asked_for(api: Api, registry: Registry) -> None:
    ids = [registry.account, ANOTHER, registry.account]
    data = (await api.get_authorization_token(registryIds=ids))["authorizationData"]
    assert len(data) == 2
    assert {entry["authorizationToken"] for entry in data} == {data[0]["authorizationToken"]}


async def test_a_registry_replicates_nowhere(api: Api, registry: Registry) -> None:
    assert await api.describe_registry() == {
        "registryId": registry.account,
        "replicationConfiguration": {"rules": []},
    }


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateRepository", {"repositoryName": "team/app"}),
        ("DescribeRepositories", {}),
        ("DescribeRepositories", {"repositoryNames": ["team/app"]}),
        ("DeleteRepository", {"repositoryName": "team/app", "force": True}),
        ("BatchGetImage", {"repositoryName": "team/app", "imageIds": [{"imageTag": "a"}]}),
        ("GetRepositoryPolicy", {"repositoryName": "team/app"}),
    ],
)
async def test_the_registry_of_another_account_is_closed(
    api: Api, registry: Registry, operation: str, members: dict[str, object]
) -> None:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).removeprefix("_")
    refusal = await api.refused(snake, registryId=ANOTHER, **members)
    assert (refusal.code, refusal.status) == ("AccessDeniedException", 400)
    name = members.get("repositoryName") or (members.get("repositoryNames") or ["*"])[0]  # type: ignore[index]
    assert refusal.message == (
        f"User: arn:aws:iam::{registry.account}:root is not authorized to perform: ecr:{operation} on resource: "
        f"arn:aws:ecr:{registry.region}:{ANOTHER}:repository/{name} because no resource-based policy allows the "
        f"ecr:{operation} action"
    )


async def test_an_arn_of_another_account_is_closed(api: Api, registry: Registry) -> None:
    arn = Registry(ANOTHER, registry.region).arn("team/app")
    for operation, members in (
        ("tag_resource", {"tags": []}),
        ("untag_resource", {"tagKeys": []}),
        ("list_tags_for_resource", {}),
    ):
        assert (await api.refused(operation, resourceArn=arn, **members)).code == "AccessDeniedException"


async def test_an_unknown_key_and_a_wrong_secret_are_told_apart_in_each_protocol(
    plane: CountedPlane, root_key: AccessKey, registry: Registry
) -> None:
    async def refusal(service: str, operation: str, key: AccessKey) -> Refusal:
        with api_of(service, plane.url, key, registry.region) as api:
            return await api.refused(operation)

    unknown = AccessKey("AKIAUNKNOWNUNKNOWN00", "x" * 40, root_key.principal)
    wrong = AccessKey(root_key.id, "x" * 40, root_key.principal)
    for key, json_code, query_code, text in (
        (unknown, "UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request"),
        (wrong, "InvalidSignatureException", "SignatureDoesNotMatch", "The request signature we calculated does not"),
    ):
        by_json = await refusal("ecr", "describe_repositories", key)
        assert (by_json.code, by_json.status) == (json_code, 400)
        by_query = await refusal("sts", "get_caller_identity", key)
        assert (by_query.code, by_query.status) == (query_code, 403)
        assert by_json.message.startswith(text)
        assert by_query.message == by_json.message


async def test_a_new_secret_replaces_the_old_one(
    plane: CountedPlane, database: Database, seal: Seal, registry: Registry
) -> None:
    old = await access_keys.create_root(database, seal, registry.account)
    with api_of("ecr", plane.url, old, registry.region) as api:
        await api.describe_repositories()
        new = await access_keys.create_root(database, seal, registry.account, old.id, "n" * 40)
        assert (await api.refused("describe_repositories")).code == "InvalidSignatureException"
    with api_of("ecr", plane.url, new, registry.region) as api:
        await api.describe_repositories()
