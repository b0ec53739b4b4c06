"""Requests a second that an account may make in a region, by action.

ECR user guide, "Amazon ECR service quotas": the member `rate` of an operation in `api-models/ecr.json`. Operations for
which it tells none are not throttled.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_OVERLAY = Path(__file__).parent.parent.parent / "api-models" / "ecr.json"


@cache
def documented() -> Mapping[str, float]:
    """By operation, such as `PutImage`."""
    overlay = json.loads(_OVERLAY.read_bytes())
    return {operation: float(entry["rate"]) for operation, entry in overlay.items() if "rate" in entry}


@cache
def operations() -> frozenset[str]:
    """All that may be given a rate."""
    return frozenset(json.loads(_OVERLAY.read_bytes()))


def rates(given: Mapping[str, float], factor: float) -> dict[str, float]:
    """By action, such as `ecr:PutImage`: the documented ones times `factor`, but for those `given`; 0 is no limit."""
    chosen = {operation: rate * factor for operation, rate in documented().items()} | dict(given)
    return {f"ecr:{operation}": rate for operation, rate in chosen.items() if rate > 0}
