"""Berth and a small model of ECR are asked the same, in random order: they agree on every answer and every error.

BERTH_TEST_STATEFUL_SEQUENCES sets how many sequences each of the seeds makes, BERTH_TEST_STATEFUL_STEPS how long they
get, BERTH_TEST_STATEFUL_SEEDS how many seeds there are; the defaults are for CI, and always make the same sequences.
With BERTH_TEST_STATEFUL_SHRINK=1 a sequence that fails is made shorter, which takes minutes.
"""

import asyncio
import os
import secrets

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import initialize, run_state_machine_as_test

from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.names import Registry
from berth.sealing import Seal
from berth.settings import Settings
from tests.stateful.agreement import Agreement
from tests.stateful.catalog import ABOUT_ONE, BOTH
from tests.stateful.rules_of_images import Images, Layers
from tests.stateful.rules_of_listings import Listings
from tests.stateful.rules_of_repositories import Repositories

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

SEQUENCES = int(os.environ.get("BERTH_TEST_STATEFUL_SEQUENCES", "10"))
STEPS = int(os.environ.get("BERTH_TEST_STATEFUL_STEPS", "200"))
SEEDS = int(os.environ.get("BERTH_TEST_STATEFUL_SEEDS", "4"))
PROFILE = hypothesis.settings(
    max_examples=SEQUENCES,
    stateful_step_count=STEPS,
    phases=[Phase.generate, *([Phase.shrink] if os.environ.get("BERTH_TEST_STATEFUL_SHRINK") else [])],
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


class Everything(Repositories, Layers, Images, Listings):
    @initialize()
    def push_some_images(self) -> None:
        for name in ("team/app", "a/b"):
            self.ask("CreateRepository", repositoryName=name)
        self.push("team/app", BOTH, imageTag="latest")
        self.push("team/app", ABOUT_ONE)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_berth_and_the_model_agree(
    api_url: str, database: Database, seal: Seal, settings: Settings, seed: int
) -> None:
    loop = asyncio.get_running_loop()

    def begin() -> Agreement:
        registry = Registry(f"{secrets.randbelow(10**12):012}", settings.region)
        key = asyncio.run_coroutine_threadsafe(access_keys.create_root(database, seal, registry.account), loop)
        return Agreement(api_url, key.result(30), registry)

    machine = hypothesis.seed(seed)(type("Seeded", (Everything,), {"begin": staticmethod(begin)}))
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=PROFILE)
