"""What a scenario is given, and how one is told: `@provokes("ImageNotFoundException", "DescribeImages")`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from berth.names import Registry
from tests.contract import model
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import Pushed, push_image

Members = dict[str, Any]
NAME = "team/app"
REPOSITORY = {"repositoryName": NAME}
ABSENT = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Stage:
    """A new registry, empty; `limits` is for lowering a quota that no test can fill."""

    api: Api
    registry: Registry
    limits: pytest.MonkeyPatch

    async def repository(self, **settings: Any) -> None:
        await self.api.create_repository(**REPOSITORY, **settings)

    async def image(self, *tags: str, **more: Any) -> Pushed:
        """An image in a repository of its own."""
        await self.repository()
        return await push_image(self.api, NAME, *tags, **more)


# Sets the stage and returns the members with which the operation is then refused.
Scenario = Callable[[Stage], Awaitable[Members]]
SCENARIOS: dict[tuple[str, str], Scenario] = {}


def provokes(error: str, *operations: str) -> Callable[[Scenario], Scenario]:
    """Mark what makes each of `operations` answer `error`."""

    def mark(scenario: Scenario) -> Scenario:
        for operation in operations:
            assert error in model.error_codes(operation), f"{operation} has no {error}"
            assert (operation, error) not in SCENARIOS, f"{operation} is brought to {error} twice"
            SCENARIOS[operation, error] = scenario
        return scenario

    return mark
