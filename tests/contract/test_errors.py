"""Every modelled error of every operation: generated, provoked, or known to be out of reach."""

from collections.abc import Iterator

import pytest

from berth.names import Registry
from tests.contract import model
from tests.contract.calls import Line
from tests.contract.errors import SCENARIOS
from tests.contract.errors.stage import Members, Stage
from tests.contract.errors.unreachable import UNREACHABLE
from tests.contract.samples import plain
from tests.contract.violations import violations
from tests.integration.controlplane.conftest import Api

MODELLED = {(name, error) for name in model.OPERATIONS for error in model.error_codes(name)}
# What the test of a stopped database is about.
BROKEN = {(name, error) for name, error in MODELLED if error == "ServerException"}
INVALID = {pair for pair in MODELLED - {*UNREACHABLE} if pair[1] == "InvalidParameterException"}
NO_REPOSITORY = {pair for pair in MODELLED - {*UNREACHABLE} if pair[1] == "RepositoryNotFoundException"}


def test_every_modelled_error_is_reached_or_known_to_be_out_of_reach() -> None:
    known = [BROKEN, INVALID, NO_REPOSITORY, {*SCENARIOS}, {*UNREACHABLE}]
    assert set().union(*known) == MODELLED
    assert sum(map(len, known)) == len(MODELLED), "an error is in two of the lists"


@pytest.mark.parametrize("operation", sorted(name for name, _ in INVALID))
async def test_a_broken_constraint_is_an_invalid_parameter(line: Line, operation: str) -> None:
    shape = model.OPERATIONS[operation].input_shape
    broken = next(one for one in violations(shape) if not one.is_type)
    assert (await line.call(operation, broken.value)).code == "InvalidParameterException"


@pytest.mark.parametrize("operation", sorted(name for name, _ in NO_REPOSITORY))
async def test_a_repository_that_is_not_there_is_named(line: Line, registry: Registry, operation: str) -> None:
    answer = await line.call(
        operation, {**plain(model.OPERATIONS[operation].input_shape), **of_none(registry, operation)}
    )
    assert answer.code == "RepositoryNotFoundException", answer
    assert "no/such" in answer.message


def of_none(registry: Registry, operation: str) -> Members:
    """What calls a repository that is not there, by all the ways that the operation has."""
    calling = {
        "repositoryName": "no/such",
        "repositoryNames": ["no/such"],
        "resourceArn": registry.arn("no/such"),
        "imageId": {"imageTag": "v1"},
    }
    return {name: calling[name] for name in calling if name in model.OPERATIONS[operation].input_shape.members}


@pytest.fixture
def stage(api: Api, registry: Registry) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as limits:
        yield Stage(api, registry, limits)


@pytest.mark.parametrize(("operation", "error"), sorted(SCENARIOS))
async def test_an_error_is_provoked(stage: Stage, operation: str, error: str) -> None:
    members = await SCENARIOS[operation, error](stage)
    refusal = await stage.api.refused(model.method_name(operation), **members)
    assert (refusal.code, refusal.status) == (error, 400), refusal
