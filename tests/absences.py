"""What a test needs and this machine lacks: a reason to skip it on a laptop, and to fail it where CI must have it."""

import os
from typing import NoReturn

import pytest

# Read now: the tests' own environment has no BERTH_ variables.
REQUIRED = os.environ.get("BERTH_REQUIRE_CLIENTS") == "1"


def absent(reason: str) -> NoReturn:
    """End the test: a skip on a laptop, a failure with BERTH_REQUIRE_CLIENTS=1."""
    if REQUIRED:
        pytest.fail(f"{reason} (BERTH_REQUIRE_CLIENTS=1)", pytrace=False)
    pytest.skip(reason)
