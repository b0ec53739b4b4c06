"""What a repository is, and how a row of it is named and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam

from berth.names import Registry, RepositoryName
from berth.repositories.mutability import Mutability
from berth.schema import repositories


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository and its settings; `id` is Berth's own."""

    id: int
    registry: Registry
    name: RepositoryName
    created_at: datetime
    mutability: Mutability
    scan_on_push: bool
    encryption: Mapping[str, str]

    @property
    def arn(self) -> str:
        return self.registry.arn(self.name)


COLUMNS = (
    repositories.c.id,
    repositories.c.name,
    repositories.c.created_at,
    repositories.c.tag_mutability,
    repositories.c.mutability_exclusions,
    repositories.c.scan_on_push,
    repositories.c.encryption,
)


def named(registry: Registry, name: str) -> Any:
    """The condition that a row is the repository `name` of `registry`."""
    table = repositories.c
    return (table.account == registry.account) & (table.region == registry.region) & (table.name == name)


# The same for a statement that is built once: its parameters are what `naming` gives.
OF_REGISTRY = and_(
    repositories.c.account == bindparam("account"),
    repositories.c.region == bindparam("region"),
)
NAMED = and_(OF_REGISTRY, repositories.c.name == bindparam("name"))


def naming(registry: Registry, name: str) -> dict[str, object]:
    return {"account": registry.account, "region": registry.region, "name": name}


def from_row(registry: Registry, row: Any) -> Repository:
    """The repository of the registry in the fields of `row` that COLUMNS has."""
    return Repository(
        id=row["id"],
        registry=registry,
        name=RepositoryName(row["name"]),
        created_at=row["created_at"],
        mutability=Mutability.of(row["tag_mutability"], row["mutability_exclusions"]),
        scan_on_push=row["scan_on_push"],
        encryption=row["encryption"],
    )
