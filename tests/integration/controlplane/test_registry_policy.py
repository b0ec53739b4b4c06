"""The policy on a registry: put, got back as ECR gives it back, deleted."""

import json

import pytest

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of


def policy(registry: Registry, *actions: str) -> str:
    statement = {
        "Sid": "ReplicationAccessCrossAccount",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": list(actions) or ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": [registry.arn("*")],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def test_a_registry_policy_is_put_got_and_deleted(api: Api, registry: Registry) -> None:
    text = policy(registry)
    answer = await api.put_registry_policy(policyText=text)
    assert answer.keys() == {"registryId", "policyText"}
    assert answer["registryId"] == registry.account
    assert json.loads(answer["policyText"]) == json.loads(text)
    assert answer["policyText"].startswith('{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n')
    assert await api.get_registry_policy() == answer
    replaced = await api.put_registry_policy(policyText=policy(registry, "ecr:*"))
    assert await api.get_registry_policy() == replaced
    assert await api.delete_registry_policy() == replaced
    for operation in ("get_registry_policy", "delete_registry_policy"):
        refusal = await api.refused(operation)
        assert (refusal.code, refusal.status) == ("RegistryPolicyNotFoundException", 400)
        assert refusal.message == f"Registry policy does not exist in the registry with id '{registry.account}'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Invalid registry policy provided'. The text is no JSON"),
        ("{}", "Invalid registry policy provided'. At /: "),
        (json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}}), "Resource"),
        (" " * 10_241, "'policyText' failed to satisfy constraint: 'Member must have length less than or equal to"),
    ],
)
async def test_a_registry_policy_that_makes_no_sense_is_refused(api: Api, text: str, words: str) -> None:
    refusal = await api.refused("put_registry_policy", policyText=text)
    assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
    assert words in refusal.message


async def test_the_scope_decides_which_actions_a_policy_may_name(api: Api, registry: Registry) -> None:
    text = policy(registry, "ecr:PutImage")
    await api.put_registry_policy(policyText=text)
    await api.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    refusal = await api.refused("put_registry_policy", policyText=text)
    assert "Invalid registry policy provided" in refusal.message
    assert "under the policy scope V1" in refusal.message
    await api.put_registry_policy(policyText=policy(registry))
    await api.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V2")
    await api.put_registry_policy(policyText=text)


async def test_registries_of_two_regions_have_a_policy_each(
    api: Api, plane: CountedPlane, root_key: AccessKey, registry: Registry
) -> None:
    await api.put_registry_policy(policyText=policy(registry))
    with api_of("ecr", plane.url, root_key, "eu-west-1") as elsewhere:
        refusal = await elsewhere.refused("get_registry_policy")
    assert refusal.code == "RegistryPolicyNotFoundException"


async def test_the_statements_of_each_operation(api: Api, plane: CountedPlane, registry: Registry) -> None:
    await api.describe_registry()  # The caller is known from now on.
    for operation, members, number in (
        # The last of each that changes something tells so.
        ("put_registry_policy", {"policyText": policy(registry)}, 3),
        ("get_registry_policy", {}, 1),
        ("delete_registry_policy", {}, 3),
    ):
        await plane.hears()
        await api.describe_registry()  # What is written on the registry is known from now on.
        with plane.counting() as statements:
            await getattr(api, operation)(**members)
        assert len(statements) == number, "\n".join(statements)
