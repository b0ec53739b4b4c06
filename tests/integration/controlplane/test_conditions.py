"""Condition keys that calls of the ECR API fill: tags of the request and the repository, settings, where and when."""

from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal
from tests.identities import EVERYTHING, Identities, allowing, denying, document
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of

NEW = {"repositoryName": "new"}
TAGGED = {"repositoryName": "tagged"}
THERE = {"resourceArn": "tagged"}
KEYS = {**THERE, "tagKeys": ["team"]}
NAMED = {"repositoryNames": ["tagged"]}
SETTING = {"name": "BLOB_MOUNTING"}
TAGS = {"tags": [{"Key": "team", "Value": "a"}]}
DENIED = "AccessDeniedException"


@pytest.fixture
def identities(database: Database, seal: Seal, root_key: AccessKey) -> Identities:
    return Identities(database, seal, root_key.principal.account)


async def is_allowed(api: Api, operation: str, **members: Any) -> bool:
    try:
        await getattr(api, operation)(**members)
    except api.client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != DENIED:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "operation", "members", "allows"),
    [
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, "create_repository", {**NEW, **TAGS}, True),
        ({"StringEquals": {"aws:RequestTag/team": "b"}}, "create_repository", {**NEW, **TAGS}, False),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, "create_repository", NEW, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, "create_repository", {**NEW, **TAGS}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["cost"]}}, "create_repository", {**NEW, **TAGS}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, "tag_resource", {**THERE, **TAGS}, True),
        ({"StringEquals": {"aws:TagKeys": "cost"}}, "untag_resource", KEYS, False),
        ({"StringEquals": {"aws:TagKeys": "team"}}, "untag_resource", KEYS, True),
        ({"StringEquals": {"ecr:ResourceTag/team": "a"}}, "list_images", TAGGED, True),
        ({"StringEquals": {"ecr:ResourceTag/team": "b"}}, "list_images", TAGGED, False),
        ({"StringEquals": {"aws:ResourceTag/Team": "a"}}, "list_images", TAGGED, True),
        ({"Null": {"aws:ResourceTag/team": "true"}}, "list_images", TAGGED, False),
        ({"StringEquals": {"aws:ResourceTag/team": "a"}}, "describe_repositories", NAMED, True),
        ({"StringEquals": {"aws:ResourceTag/team": "a"}}, "describe_repositories", {}, False),
        ({"StringEquals": {"ecr:AccountSetting": "BLOB_MOUNTING"}}, "get_account_setting", SETTING, True),
        ({"StringEquals": {"ecr:AccountSetting": "OTHER"}}, "get_account_setting", SETTING, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, "describe_registry", {}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "describe_registry", {}, False),
        ({"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]}}, "describe_registry", {}, True),
        ({"NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]}}, "describe_registry", {}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, "describe_registry", {}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "describe_registry", {}, True),
        ({"NumericLessThan": {"aws:EpochTime": "1000"}}, "describe_registry", {}, False),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, "describe_registry", {}, True),
        ({"StringLike": {"aws:UserAgent": "terraform*"}}, "describe_registry", {}, False),
    ],
)  # fmt: skip
async def test_conditions_are_looked_at(
    plane: CountedPlane,
    api: Api,
    registry: Registry,
    identities: Identities,
    condition: dict[str, Any],
    operation: str,
    members: dict[str, Any],
    allows: bool,
) -> None:
    await api.create_repository(**TAGGED, **TAGS)
    if "resourceArn" in members:
        members = {**members, "resourceArn": registry.arn(members["resourceArn"])}
    key = await identities.user("alice", allowing("ecr:*", Condition=condition))
    with api_of("ecr", plane.url, key, registry.region) as alice:
        for _ in range(2 if operation != "create_repository" else 1):
            assert await is_allowed(alice, operation, **members) == allows


async def test_a_warm_call_asks_nothing_more_for_its_authorization(
    plane: CountedPlane, api: Api, registry: Registry, identities: Identities
) -> None:
    await api.create_repository(**TAGGED, **TAGS)
    own = allowing("ecr:*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})
    local = allowing("ecr:*", Condition={"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]}})
    for name, statement in (("alice", own), ("bob", local)):
        key = await identities.user(name, statement)
        with api_of("ecr", plane.url, key, registry.region) as caller:
            await plane.hears()
            await caller.list_images(**TAGGED)
            with plane.counting() as statements:
                await caller.list_images(**TAGGED)
        assert len(statements) == 1, "\n".join(statements)


async def test_a_registry_of_another_account_is_open_to_whom_both_sides_let(
    plane: CountedPlane, api: Api, registry: Registry, database: Database, seal: Seal
) -> None:
    account = f"{int(registry.account) ^ 1:012}"
    root = await access_keys.create_root(database, seal, account)
    eve = await Identities(database, seal, account).user("eve", EVERYTHING)
    await api.create_repository(**TAGGED)
    theirs = {**TAGGED, "registryId": registry.account}
    with api_of("ecr", plane.url, eve, registry.region) as stranger:
        refusal = await stranger.refused("list_images", **theirs)
        assert refusal.message.endswith("because no resource-based policy allows the ecr:ListImages action")
        for named in (account, f"arn:aws:iam::{account}:root", eve.principal.arn, "*"):
            text = document({"Effect": "Allow", "Principal": {"AWS": named}, "Action": "ecr:ListImages"})
            await api.set_repository_policy(**TAGGED, policyText=text)
            assert await is_allowed(stranger, "list_images", **theirs)
        assert not await is_allowed(stranger, "describe_images", **theirs)
        await Identities(database, seal, account).let("user", "eve", EVERYTHING, denying("ecr:ListImages"))
        assert not await is_allowed(stranger, "list_images", **theirs)
    with api_of("ecr", plane.url, root, registry.region) as their_root:
        assert await is_allowed(their_root, "list_images", **theirs)
