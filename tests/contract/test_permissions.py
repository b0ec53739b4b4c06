"""Every operation is refused without its action, and allowed with exactly it; what else it takes is in the overlay."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal
from controlplane.authorize import NEEDED_FOR
from controlplane.overlays import rules
from tests.contract import model
from tests.contract.calls import Line, RawAnswer
from tests.contract.test_common_members import members
from tests.identities import Identities, allowing, denying

DENIED = ("AccessDeniedException", 400)
ROLE = "arn:aws:iam::{account}:role/creator"
Call = Callable[[AccessKey, str, dict[str, Any]], Awaitable[RawAnswer]]


@pytest.fixture
def identities(database: Database, seal: Seal, root_key: AccessKey) -> Identities:
    return Identities(database, seal, root_key.principal.account)


@pytest.fixture
def call(api_url: str, registry: Registry) -> Call:
    async def call(key: AccessKey, operation: str, given: dict[str, Any]) -> RawAnswer:
        async with Line(api_url.removeprefix("http://"), key, registry.region) as line:
            return await line.call(operation, given)

    return call


def needed(operation: str, given: dict[str, Any]) -> list[str]:
    rule = rules("ecr")[operation]
    return [rule.action, *(action for action in rule.dependent if given.get(NEEDED_FOR.get(action, "")))]


@pytest.mark.parametrize("operation", sorted(model.OPERATIONS))
async def test_every_operation_needs_its_action_and_no_other(
    identities: Identities, call: Call, registry: Registry, operation: str
) -> None:
    given = members(operation, registry)
    action, *others = needed(operation, given)
    nobody = await identities.user("nobody")
    answer = await call(nobody, operation, given)
    assert (answer.code, answer.status) == DENIED
    assert answer.message.startswith(
        f"User: {nobody.principal.arn} is not authorized to perform: {action} on resource: "
    )
    assert answer.message.endswith(f" because no identity-based policy allows the {action} action")
    lacking = await identities.user("lacking", {"Effect": "Allow", "NotAction": action, "Resource": "*"})
    assert (await call(lacking, operation, given)).code == DENIED[0]
    with_it = await identities.user("with-it", allowing(action, *others))
    assert (await call(with_it, operation, given)).code != DENIED[0]
    await identities.let("user", "with-it", allowing(action, *others), denying(action))
    answer = await call(with_it, operation, given)
    assert (answer.code, answer.status) == DENIED
    assert answer.message.endswith(" with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("operation", "given", "action"),
    [
        ("CreateRepository", {"tags": [{"Key": "team", "Value": "a"}]}, "ecr:TagResource"),
        ("CreateRepositoryCreationTemplate", {}, "ecr:CreateRepository"),
        ("CreateRepositoryCreationTemplate", {"lifecyclePolicy": "{}"}, "ecr:PutLifecyclePolicy"),
        ("CreateRepositoryCreationTemplate", {"repositoryPolicy": "{}"}, "ecr:SetRepositoryPolicy"),
        ("CreateRepositoryCreationTemplate", {"customRoleArn": ROLE}, "iam:PassRole"),
        ("UpdateRepositoryCreationTemplate", {"customRoleArn": ROLE}, "iam:PassRole"),
        ("CreatePullThroughCacheRule", {"customRoleArn": ROLE}, "iam:PassRole"),
    ],
)
async def test_what_a_call_does_beside_needs_its_own_action(
    identities: Identities, call: Call, registry: Registry, operation: str, given: dict[str, Any], action: str
) -> None:
    text = json.dumps(given).replace("{account}", registry.account)
    given = members(operation, registry, **json.loads(text))
    actions = needed(operation, given)
    assert action in actions
    key = await identities.user("alice", allowing(*(each for each in actions if each != action)))
    answer = await call(key, operation, given)
    assert answer.code == DENIED[0]
    assert answer.message.endswith(f"because no identity-based policy allows the {action} action")
    await identities.let("user", "alice", allowing(*actions))
    assert (await call(key, operation, given)).code != DENIED[0]


async def test_a_role_may_be_passed_to_no_service_but_the_one_that_is_meant(
    identities: Identities, call: Call, registry: Registry
) -> None:
    given = {"ecrRepositoryPrefix": "cached", "upstreamRegistryUrl": "public.ecr.aws", "customRoleArn": ROLE}
    given["customRoleArn"] = ROLE.format(account=registry.account)
    create = allowing("ecr:CreatePullThroughCacheRule")
    for service, passed in (("lambda.amazonaws.com", False), ("ecr.amazonaws.com", True)):
        only = {"Condition": {"StringEquals": {"iam:PassedToService": service}}}
        passing = allowing("iam:PassRole", resource=given["customRoleArn"], **only)
        key = await identities.user(service.partition(".")[0], create, passing)
        assert ((await call(key, "CreatePullThroughCacheRule", given)).code != DENIED[0]) == passed


async def test_each_of_several_repositories_is_asked_about(
    identities: Identities, call: Call, registry: Registry
) -> None:
    key = await identities.user("alice", allowing("ecr:*", resource=registry.arn("team/*")))
    for name in ("team/a", "team/b"):
        assert (await call(key, "CreateRepository", {"repositoryName": name})).code is None
    named = {"repositoryNames": ["team/a", "team/b"]}
    assert (await call(key, "DescribeRepositories", named)).code is None
    named["repositoryNames"].append("other")
    answer = await call(key, "DescribeRepositories", named)
    assert f"ecr:DescribeRepositories on resource: {registry.arn('other')} because" in answer.message
    answer = await call(key, "DescribeRepositories", {})
    assert f"ecr:DescribeRepositories on resource: {registry.arn('*')} because" in answer.message


async def test_whether_a_repository_is_there_is_not_told_to_everybody(
    identities: Identities, call: Call, registry: Registry, root_key: AccessKey
) -> None:
    await call(root_key, "CreateRepository", {"repositoryName": "there"})
    key = await identities.user("nobody")
    for name in ("there", "not-there"):
        answer = await call(key, "ListImages", {"repositoryName": name})
        assert (answer.code, answer.message.replace(name, "…")) == (
            DENIED[0],
            f"User: {key.principal.arn} is not authorized to perform: ecr:ListImages on resource: "
            f"{registry.arn('…')} because no identity-based policy allows the ecr:ListImages action",
        )
