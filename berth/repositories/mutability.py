"""Whether a tag, once put, may be moved to another image: the tag mutability of a repository. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from berth import wildcards
from berth.errors import InvalidParameter

# ECR API reference, "ImageTagMutabilityExclusionFilter" and "PutImageTagMutability".
FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
MAX_FILTERS = 5
# As the AWS provider of Terraform has it; the API reference does not state it.
MAX_WILDCARDS = 2

_MODE_PARAMETER = "imageTagMutability"
_FILTERS_PARAMETER = "imageTagMutabilityExclusionFilters"


class Mode(StrEnum):
    """ECR API reference, `imageTagMutability`."""

    MUTABLE = "MUTABLE"
    IMMUTABLE = "IMMUTABLE"
    MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"

    @property
    def takes_filters(self) -> bool:
        return self in {Mode.MUTABLE_WITH_EXCLUSION, Mode.IMMUTABLE_WITH_EXCLUSION}


@dataclass(frozen=True, slots=True)
class Mutability:
    """A mode and the wildcard filters that it takes: 1 to 5 for *_WITH_EXCLUSION, none for the plain modes."""

    mode: Mode
    filters: tuple[str, ...] = ()

    @classmethod
    def of(cls, mode: str, filters: Sequence[Mapping[str, str]] | None = None) -> "Mutability":
        """The mutability that ECR's two parameters describe; each filter is a `filterType` and a `filter`.

        Raises InvalidParameter.
        """
        if not filters and (plain := _PLAIN.get(mode)):
            return plain
        try:
            chosen = Mode(mode)
        except ValueError:
            raise InvalidParameter(
                _MODE_PARAMETER, f"Member must satisfy enum value set: [{', '.join(Mode)}]"
            ) from None
        if chosen.takes_filters and not filters:
            raise _filters_invalid(
                f"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {chosen}"
            )
        if filters and not chosen.takes_filters:
            raise _filters_invalid(
                f"ImageTagMutabilityExclusionFilters are not allowed when imageTagMutability is set as {chosen}"
            )
        if filters and len(filters) > MAX_FILTERS:
            raise _filters_invalid(f"Member must have length less than or equal to {MAX_FILTERS}")
        return cls(chosen, tuple(_parse_filter(entry) for entry in filters or ()))

    def is_immutable(self, tag: str) -> bool:
        """Whether `tag` must keep naming the image that it names."""
        excluded = any(wildcards.matches(pattern, tag) for pattern in self.filters)
        if self.mode in {Mode.IMMUTABLE, Mode.IMMUTABLE_WITH_EXCLUSION}:
            return not excluded
        return excluded

    def filters_as_json(self) -> list[dict[str, str]]:
        """The filters as ECR's JSON has them."""
        return [{"filterType": "WILDCARD", "filter": pattern} for pattern in self.filters]


# What nearly every repository has: a page of them makes none of its own.
_PLAIN: dict[str, Mutability] = {mode: Mutability(mode) for mode in (Mode.MUTABLE, Mode.IMMUTABLE)}


def _parse_filter(entry: Mapping[str, str]) -> str:
    if entry.get("filterType") != "WILDCARD":
        raise _filters_invalid("Member must satisfy enum value set: [WILDCARD]")
    pattern = entry.get("filter", "")
    if not FILTER.fullmatch(pattern):
        raise _filters_invalid(f"Member must satisfy regular expression pattern: ^{FILTER.pattern}$")
    if pattern.count("*") > MAX_WILDCARDS:
        raise _filters_invalid(f"A filter can have at most {MAX_WILDCARDS} wildcards, and '{pattern}' has more")
    return pattern


def _filters_invalid(constraint: str) -> InvalidParameter:
    return InvalidParameter(_FILTERS_PARAMETER, constraint)
