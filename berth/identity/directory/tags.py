"""The tags of what IAM keeps: keys differ by more than their case (IAM user guide, "Tags for IAM resources"). Pure.

How long keys and values may be and of which characters, the API's model says.
"""

from collections.abc import Iterable, Mapping, Sequence

from berth.errors.iam import InvalidInput, QuotaExceeded

MAX_TAGS = 50
# Reserved for AWS.
_PREFIX = "aws:"


def parse(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Key to value, from the list of `Key` and `Value` that a request gives. Raises InvalidInput."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len({key.lower() for key in found}) < len(tags):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith(_PREFIX) for key in found):
        raise InvalidInput(f"Tag keys must not begin with {_PREFIX}, which is reserved for AWS.")
    return found


def merge(existing: Mapping[str, str], added: Mapping[str, str], quota: str) -> dict[str, str]:
    """The tags after `added` came; `quota` such as TagsPerUser. Raises QuotaExceeded."""
    merged = {**without(existing, added), **added}
    if len(merged) > MAX_TAGS:
        raise QuotaExceeded(quota, MAX_TAGS)
    return merged


def without(existing: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The tags but those of these keys."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in existing.items() if key.lower() not in gone}
