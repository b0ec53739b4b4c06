"""The tags on a repository that say whose and what it is: their grammar and their number. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from berth.errors import InvalidTagParameter, TooManyTags

# ECR API reference, "Tag" and "TagResource".
MAX_TAGS = 50
MAX_KEY_LENGTH = 128
MAX_VALUE_LENGTH = 256
# AWS General Reference, "Tag naming limits and requirements": ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$
SIGNS = frozenset("_.:/=+-@")
CATEGORIES = frozenset("LZN")
RESERVED_PREFIX = "aws:"


def parse(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Key to value, from the list of `Key` and `Value` that a request gives.

    Raises InvalidTagParameter for a key or value outside the grammar, and for a key that comes twice; TooManyTags.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        _check_key(key)
        _check_characters("Value", value, MAX_VALUE_LENGTH)
        if key in found:
            raise _invalid("Key", f"Member must be unique, and '{key}' is given twice")
        found[key] = value
    return merge({}, found)


def merge(existing: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """The tags of a repository after TagResource: a key that it has already takes the new value.

    Raises TooManyTags when that makes more than 50.
    """
    merged = {**existing, **added}
    if len(merged) > MAX_TAGS:
        raise TooManyTags(
            "The list of tags on the repository is over the limit. "
            f"The maximum number of tags that can be applied to a repository is {MAX_TAGS}."
        )
    return merged


def parse_keys(keys: Iterable[str]) -> list[str]:
    """The keys that UntagResource takes off. Raises InvalidTagParameter."""
    wanted = list(keys)
    for key in wanted:
        _check_key(key)
    return wanted


def _check_key(key: str) -> None:
    if not key:
        raise _invalid("Key", "Member must have length greater than or equal to 1")
    _check_characters("Key", key, MAX_KEY_LENGTH)
    # Case does not matter: `AWS:` is as reserved as `aws:`.
    if key.lower().startswith(RESERVED_PREFIX):
        raise _invalid("Key", f"Member must not begin with '{RESERVED_PREFIX}', which is reserved for the service")


def _check_characters(member: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise _invalid(member, f"Member must have length less than or equal to {longest}")
    if not all(sign in SIGNS or unicodedata.category(sign)[0] in CATEGORIES for sign in text):
        raise _invalid(member, r"Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$")


def _invalid(member: str, constraint: str) -> InvalidTagParameter:
    return InvalidTagParameter(f"Invalid parameter at 'tags.{member}' failed to satisfy constraint: '{constraint}'")
