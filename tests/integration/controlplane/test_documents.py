"""The lifecycle policy and the policy of a repository: put, got back as ECR gives them back, deleted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api

RULE: dict[str, Any] = {
    "rulePriority": 1,
    "description": "keep ten",
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
    "action": {"type": "expire"},
}
LIFECYCLE = json.dumps({"rules": [RULE]}, indent=2)
STATEMENT = {"Sid": "all may pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


@pytest.fixture(autouse=True)
async def repository(api: Api) -> None:
    await api.create_repository(repositoryName="team/app")


async def test_a_lifecycle_policy_is_put_got_and_deleted(api: Api, registry: Registry) -> None:
    put = await api.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=LIFECYCLE)
    expected = json.dumps({"rules": [RULE]}, separators=(",", ":"))
    answer = {"registryId": registry.account, "repositoryName": "team/app", "lifecyclePolicyText": expected}
    assert put == answer
    never = {"lastEvaluatedAt": datetime.fromtimestamp(0, UTC)}
    assert await api.get_lifecycle_policy(repositoryName="team/app") == {**answer, **never}
    assert await api.delete_lifecycle_policy(repositoryName="team/app") == {**answer, **never}
    for operation in ("get_lifecycle_policy", "delete_lifecycle_policy"):
        refusal = await api.refused(operation, repositoryName="team/app")
        assert refusal.code == "LifecyclePolicyNotFoundException"
        assert refusal.message == (
            "Lifecycle policy does not exist for the repository with name 'team/app' "
            f"in the registry with id '{registry.account}'"
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: "),
        ("x" * 30721, "Member must have length less than or equal to 30720"),
        ("x" * 100, "Could not map policyString into LifecyclePolicy."),
        (json.dumps({"padding": "x" * 100}), "object has missing required properties"),
        (json.dumps({"rules": [RULE, RULE]}), "Lifecycle policy validation failure: Duplicate priority"),
    ],
)
async def test_a_lifecycle_policy_that_makes_no_sense_is_refused(api: Api, text: str, message: str) -> None:
    refusal = await api.refused("put_lifecycle_policy", repositoryName="team/app", lifecyclePolicyText=text)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert message in refusal.message


async def test_a_repository_policy_is_set_got_and_deleted(api: Api, registry: Registry) -> None:
    answer = await api.set_repository_policy(repositoryName="team/app", policyText=POLICY)
    assert json.loads(answer["policyText"]) == json.loads(POLICY)
    assert '"Effect" : "Allow"' in answer["policyText"]
    assert (answer["registryId"], answer["repositoryName"]) == (registry.account, "team/app")
    assert await api.get_repository_policy(repositoryName="team/app") == answer
    assert await api.delete_repository_policy(repositoryName="team/app") == answer
    for operation in ("get_repository_policy", "delete_repository_policy"):
        refusal = await api.refused(operation, repositoryName="team/app")
        assert refusal.code == "RepositoryPolicyNotFoundException"
        assert refusal.message == (
            "Repository policy does not exist for the repository with name 'team/app' "
            f"in the registry with id '{registry.account}'"
        )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"Statement": [{"Effect": "Perhaps"}]})])
async def test_a_repository_policy_that_makes_no_sense_is_refused(api: Api, text: str) -> None:
    refusal = await api.refused("set_repository_policy", repositoryName="team/app", policyText=text)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert refusal.message.startswith(
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
    )


async def test_a_policy_that_locks_its_owner_out_is_set_only_by_force(api: Api) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    refusal = await api.refused("set_repository_policy", repositoryName="team/app", policyText=text)
    assert "use force" in refusal.message
    await api.set_repository_policy(repositoryName="team/app", policyText=text, force=True)


async def test_a_document_for_no_repository_is_refused(api: Api) -> None:
    for operation, members in (
        ("put_lifecycle_policy", {"lifecyclePolicyText": LIFECYCLE}),
        ("set_repository_policy", {"policyText": POLICY}),
    ):
        refusal = await api.refused(operation, repositoryName="no/such", **members)
        assert refusal.code == "RepositoryNotFoundException"
