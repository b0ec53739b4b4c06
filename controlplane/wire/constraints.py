"""What a member's value must satisfy by the model, each constraint in the words that ECR answers."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.model import Shape

# ECR checks these two itself, before its framework does: it says so without the word "Member", and calls them by these
# names wherever they stand.
CHECKED_BY_ECR = {"RepositoryName": "repositoryName", "RegistryId": "registryId"}

# The same language as the model's pattern, written so that no text makes the matcher try all ways to cut it.
LINEAR_PATTERNS = {
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*",
}

HASH_TABLE_SIZE = 16
HASH_TABLE_LOAD = 0.75


class Constraint(NamedTuple):
    holds: Callable[[Any], bool]
    text: str


def of_string(shape: Shape) -> list[Constraint]:
    """The constraints of a string shape, cheap ones first: a pattern sees no text beyond the maximum length."""
    found = of_length(shape)
    metadata: dict[str, Any] = shape.metadata
    if "enum" in metadata:
        values = frozenset(metadata["enum"])
        listed = ", ".join(in_hash_order(metadata["enum"]))
        found.append(Constraint(values.__contains__, f"Member must satisfy enum value set: [{listed}]"))
    if "pattern" in metadata:
        shown = metadata["pattern"].replace(r"\/", "/")
        found.append(
            Constraint(matcher(metadata["pattern"]), f"Member must satisfy regular expression pattern: {shown}")
        )
    return found


def of_length(shape: Shape) -> list[Constraint]:
    """The bounds on the length of a string (in characters), a blob (in bytes) or a list (in items)."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    found = []
    if most is not None:
        text = f"Member must have length less than or equal to {most}"
        found.append(Constraint(lambda value: len(value) <= most, text))
    if least:
        text = f"Member must have length greater than or equal to {least}"
        found.append(Constraint(lambda value: len(value) >= least, text))
    return found


def of_number(shape: Shape) -> list[Constraint]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    found = []
    if most is not None:
        text = f"Member must have value less than or equal to {most}"
        found.append(Constraint(lambda value: value <= most, text))
    if least is not None:
        text = f"Member must have value greater than or equal to {least}"
        found.append(Constraint(lambda value: value >= least, text))
    return found


def by_ecr(checks: list[Constraint]) -> list[Constraint]:
    """The same constraints in the words of ECR's own checks."""
    return [Constraint(check.holds, in_words_of_ecr(check.text)) for check in checks]


def in_words_of_ecr(text: str) -> str:
    text = text.removeprefix("Member ")
    if (pattern := text.removeprefix("must satisfy regular expression pattern: ")) != text:
        return f"must satisfy regular expression '{pattern}'"
    return text


def of_items(checks: list[Constraint]) -> list[Constraint]:
    """The constraints of a list's items, which the framework checks together, listing all of them."""
    text = f"Member must satisfy constraint: [{', '.join(check.text for check in checks)}]"
    return [Constraint(check.holds, text) for check in checks]


def in_hash_order(values: list[str]) -> list[str]:
    """The order in which AWS lists an enumeration: that of a Java HashSet of its values.

    Of `imageTagMutability`, ECR is seen to answer
    [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION].
    """
    size = HASH_TABLE_SIZE
    while len(values) > size * HASH_TABLE_LOAD:
        size *= 2

    def bucket(value: str) -> int:
        code = 0
        for character in value:
            code = (31 * code + ord(character)) & 0xFFFFFFFF
        return (code ^ code >> 16) & (size - 1)

    return sorted(values, key=bucket)


# A class of characters that names some by what they are in Unicode, such as those of a tag's key.
OF_CATEGORIES = re.compile(r"\[(?P<categories>(?:\\p\{[A-Z]\})+)(?P<rest>.*)\](?P<how_many>[+*])")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether the whole of a text is in the language of a model's `pattern` (Java's classes: \\w and \\s are ASCII)."""
    named = OF_CATEGORIES.fullmatch(pattern)
    if named is not None:
        return _of_categories(
            named["categories"][3::5], re.compile(f"[{named['rest']}]"), 1 if named["how_many"] == "+" else 0
        )
    compiled = re.compile(LINEAR_PATTERNS.get(pattern, pattern), re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _of_categories(categories: str, others: re.Pattern[str], least: int) -> Callable[[str], bool]:
    def is_one(character: str) -> bool:
        return unicodedata.category(character)[0] in categories or others.fullmatch(character) is not None

    return lambda value: len(value) >= least and all(map(is_one, value))
