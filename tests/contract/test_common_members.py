"""Members that mean the same wherever they are: every operation that has one treats it so."""

from typing import Any

import pytest

from berth.names import Registry
from controlplane.overlays import rules
from tests.contract import model
from tests.contract.calls import Line
from tests.contract.samples import plain

OTHER_ACCOUNT = "210987654321"


def having(member: str) -> list[str]:
    return sorted(name for name, one in model.OPERATIONS.items() if member in model.members_of(one.input_shape))


def members(operation: str, registry: Registry, **more: Any) -> dict[str, Any]:
    """Those that the operation requires, about what is not there."""
    found = plain(model.OPERATIONS[operation].input_shape)
    about = {"imageId": {"imageTag": "v1"}, "resourceArn": registry.arn("no/such")}
    return {**found, **{name: about[name] for name in about if name in found}, **more}


@pytest.mark.parametrize("operation", having("nextToken"))
async def test_a_token_that_was_not_handed_out_is_refused(line: Line, registry: Registry, operation: str) -> None:
    for token in ("", "x", "a" * 3000, "\u00e4", await token_of_another_listing(line)):
        answer = await line.call(operation, members(operation, registry, nextToken=token))
        assert answer.code == "InvalidParameterException", answer
        assert "'nextToken'" in answer.message


async def token_of_another_listing(line: Line) -> str:
    """One that is good for the repositories of this registry from the second on, and for nothing else; spoilt."""
    for name in ("ab", "cd"):
        await line.call("CreateRepository", {"repositoryName": name})
    page = (await line.call("DescribeRepositories", {"maxResults": 1})).parsed
    elsewhere = await line.call("ListImages", {"repositoryName": "ab", "nextToken": page["nextToken"]})
    assert elsewhere.code == "InvalidParameterException"
    good = await line.call("DescribeRepositories", {"nextToken": page["nextToken"]})
    assert [one["repositoryName"] for one in good.parsed["repositories"]] == ["cd"]
    return str(page["nextToken"]).swapcase()


@pytest.mark.parametrize("operation", having("registryId"))
async def test_the_registry_of_another_account_is_not_for_everyone(
    line: Line, registry: Registry, operation: str
) -> None:
    answer = await line.call(operation, members(operation, registry, registryId=OTHER_ACCOUNT))
    assert (answer.code, answer.status) == ("AccessDeniedException", 400), answer
    assert rules("ecr")[operation].action in answer.message


@pytest.mark.parametrize("operation", having("registryId"))
async def test_the_registry_of_ones_own_account_may_be_named(line: Line, registry: Registry, operation: str) -> None:
    answer = await line.call(operation, members(operation, registry, registryId=registry.account))
    assert answer.code != "AccessDeniedException"
    assert answer.parsed.get("registryId", registry.account) == registry.account
