"""When the images of which repositories are to be scanned: the scanning configuration of a registry. Pure.

ECR API reference, "PutRegistryScanningConfiguration"; ECR user guide, "Filters to choose which repositories are
scanned".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from berth import wildcards
from berth.errors import InvalidParameter


class ScanType(StrEnum):
    """By whom images are scanned: by ECR itself, or by Amazon Inspector."""

    BASIC = "BASIC"
    ENHANCED = "ENHANCED"


class Frequency(StrEnum):
    SCAN_ON_PUSH = "SCAN_ON_PUSH"
    CONTINUOUS_SCAN = "CONTINUOUS_SCAN"
    MANUAL = "MANUAL"


FREQUENCIES = {
    ScanType.BASIC: (Frequency.SCAN_ON_PUSH, Frequency.MANUAL),
    # Where both are meant for a repository, the first one holds.
    ScanType.ENHANCED: (Frequency.CONTINUOUS_SCAN, Frequency.SCAN_ON_PUSH),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How often the images of the repositories that one of the filters matches are to be scanned."""

    frequency: Frequency
    filters: tuple[str, ...]

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Self:
        """From ECR's JSON, which the model has been checked against."""
        return cls(Frequency(rule["scanFrequency"]), tuple(one["filter"] for one in rule["repositoryFilters"]))

    def as_json(self) -> dict[str, Any]:
        return {"scanFrequency": self.frequency, "repositoryFilters": filters_as_json(self.filters)}


@dataclass(frozen=True, slots=True)
class Applied:
    """What a configuration comes to for one repository: when its images are to be scanned, and by which filters."""

    frequency: Frequency
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The scanning configuration of a registry; that of one where none was put is BASIC without a rule."""

    scan_type: ScanType = ScanType.BASIC
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, scan_type: str, rules: Sequence[Mapping[str, Any]]) -> Self:
        """From ECR's JSON, which the model has been checked against.

        Raises InvalidParameter for a frequency that the scan type does not have.
        """
        configuration = cls(ScanType(scan_type), tuple(Rule.of(rule) for rule in rules))
        supported = FREQUENCIES[configuration.scan_type]
        for number, rule in enumerate(configuration.rules, 1):
            if rule.frequency not in supported:
                raise InvalidParameter(
                    f"rules.{number}.member.scanFrequency",
                    f"The scan type {configuration.scan_type} supports [{', '.join(supported)}] only",
                )
        return configuration

    def rules_as_json(self) -> list[dict[str, Any]]:
        return [rule.as_json() for rule in self.rules]

    def apply(self, repository_name: str, *, scan_on_push: bool) -> Applied:
        """What it comes to for a repository, whose own setting `scan_on_push` counts where scanning is basic.

        Of several filters that match, ECR names the last.
        """
        for frequency in FREQUENCIES[self.scan_type]:
            filters = (one for rule in self.rules if rule.frequency is frequency for one in rule.filters)
            if matched := [one for one in filters if matches(one, repository_name)]:
                return Applied(frequency, (matched[-1],))
        if scan_on_push and self.scan_type is ScanType.BASIC:
            return Applied(Frequency.SCAN_ON_PUSH)
        return Applied(Frequency.MANUAL)


def matches(pattern: str, repository_name: str) -> bool:
    """Whether a filter is for the repository: one without a wildcard is for all whose names contain it."""
    return wildcards.matches(pattern if "*" in pattern else f"*{pattern}*", repository_name)


def filters_as_json(filters: Sequence[str]) -> list[dict[str, str]]:
    return [{"filter": pattern, "filterType": "WILDCARD"} for pattern in filters]
