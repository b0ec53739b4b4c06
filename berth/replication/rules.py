"""Which images a registry replicates, and where to. Pure.

ECR user guide, "Private image replication in Amazon ECR".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from berth.errors import InvalidParameter
from berth.names import NameInvalid, Registry

# ECR user guide, "Amazon ECR service quotas". How many rules and filters there may be is in the API model.
MAX_DESTINATIONS = 25


@dataclass(frozen=True, slots=True)
class Rule:
    """Copy what is pushed into the repositories whose names begin with one of `prefixes` (none: into all).

    `deletes`: whether deletions are copied too; None where the rule does not say.
    """

    destinations: tuple[Registry, ...]
    prefixes: tuple[str, ...] = ()
    deletes: bool | None = None

    @classmethod
    def of(cls, member: Mapping[str, Any]) -> Self:
        """ECR API reference, "ReplicationRule"."""
        return cls(
            destinations=tuple(destination(one) for one in member["destinations"]),
            prefixes=tuple(one["filter"] for one in member.get("repositoryFilters", ())),
            deletes=member.get("deleteReplication", {}).get("enabled"),
        )

    def member(self) -> dict[str, Any]:
        """The rule as the API reference has it."""
        found: dict[str, Any] = {"destinations": [destination_member(one) for one in self.destinations]}
        if self.prefixes:
            found["repositoryFilters"] = [{"filter": one, "filterType": "PREFIX_MATCH"} for one in self.prefixes]
        if self.deletes is not None:
            found["deleteReplication"] = {"enabled": self.deletes}
        return found

    def applies_to(self, repository: str) -> bool:
        return not self.prefixes or repository.startswith(self.prefixes)


def destination(member: Mapping[str, str]) -> Registry:
    """ECR API reference, "ReplicationDestination"."""
    return Registry(member["registryId"], member["region"])


def destination_member(registry: Registry) -> dict[str, str]:
    return {"region": registry.region, "registryId": registry.account}


def destinations(rules: Iterable[Rule], repository: str | None = None) -> list[Registry]:
    """Where the rules (that apply to `repository`) replicate to, each registry once, in the order of the rules."""
    applying = (rule for rule in rules if repository is None or rule.applies_to(repository))
    return list(dict.fromkeys(one for rule in applying for one in rule.destinations))


def check(source: Registry, rules: Sequence[Rule]) -> None:
    """Raises InvalidParameter for what `source` cannot do."""
    for rule in rules:
        for one in rule.destinations:
            _check_destination(source, one)
        if len(set(rule.destinations)) < len(rule.destinations):
            raise _refused("Replication destinations must be unique within a rule")
    if len(destinations(rules)) > MAX_DESTINATIONS:
        raise _refused(
            f"Number of unique destinations across all rules must be less than or equal to {MAX_DESTINATIONS}"
        )


def _check_destination(source: Registry, one: Registry) -> None:
    if one == source:
        raise _refused("Replication destination cannot be the same as the source registry")
    try:
        Registry.parse(one.account, one.region)
    except NameInvalid:
        raise _refused(f"Replication destination region '{one.region}' is not a region") from None
    if one.partition != source.partition:
        raise _refused(f"Replication destination region '{one.region}' must be in the partition '{source.partition}'")


def _refused(constraint: str) -> InvalidParameter:
    return InvalidParameter("replicationConfiguration", constraint)
