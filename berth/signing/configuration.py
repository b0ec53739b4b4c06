"""The signing configuration that a registry keeps, and what became of an image under it.

ECR user guide, "Managed signing".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import structlog
from sqlalchemy import case, func, null, select, update

from berth import registries as rows
from berth import wildcards
from berth.database.db import Database
from berth.errors import SigningConfigurationNotFound
from berth.images.pushed import PushedImage
from berth.names import Registry
from berth.schema import registries

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rule:
    """Sign what is pushed into the repositories whose names match one of `filters` (none: into all)."""

    profile_arn: str
    filters: tuple[str, ...] = ()

    @classmethod
    def of(cls, member: Mapping[str, Any]) -> Self:
        """ECR API reference, "SigningRule"."""
        return cls(member["signingProfileArn"], tuple(one["filter"] for one in member.get("repositoryFilters", ())))

    def member(self) -> dict[str, Any]:
        """The rule as the API reference has it."""
        filters = [{"filter": one, "filterType": "WILDCARD_MATCH"} for one in self.filters]
        return {"signingProfileArn": self.profile_arn, **({"repositoryFilters": filters} if filters else {})}

    def applies_to(self, repository: str) -> bool:
        return not self.filters or any(wildcards.matches(pattern, repository) for pattern in self.filters)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The rules of a registry, and since when they have been these."""

    rules: tuple[Rule, ...]
    since: datetime


async def put(database: Database, registry: Registry, given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Put these rules in the place of those that there are."""
    new = tuple(Rule.of(member) for member in given)
    members = [rule.member() for rule in new]
    table = registries.c
    since = case((table.signing_rules == members, table.signing_since), else_=func.now())
    values = {"signing_rules": members, "signing_since": func.now()}
    await rows.put(database, registry, values, signing_since=since)
    if new:
        log.warning(
            "the images that these rules are about are not signed: nothing here signs them", account=registry.account
        )
    return new


async def find(database: Database, registry: Registry) -> Configuration | None:
    question = select(registries.c.signing_rules, registries.c.signing_since).where(rows.row_of(registry))
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    return None if row is None or row.signing_rules is None else _configuration(row.signing_rules, row.signing_since)


async def get(database: Database, registry: Registry) -> Configuration:
    """Raises SigningConfigurationNotFound."""
    found = await find(database, registry)
    if found is None:
        raise SigningConfigurationNotFound(registry)
    return found


async def remove(database: Database, registry: Registry) -> Configuration:
    """Remove the configuration and return it. Raises SigningConfigurationNotFound."""
    held = select(registries.c.signing_rules, registries.c.signing_since).where(rows.row_of(registry))
    async with database.transaction() as connection:
        row = (await connection.execute(held.with_for_update())).one_or_none()
        if row is None or row.signing_rules is None:
            raise SigningConfigurationNotFound(registry)
        await connection.execute(
            update(registries).where(rows.row_of(registry)).values(signing_rules=null(), signing_since=None)
        )
    return _configuration(row.signing_rules, row.signing_since)


def owed(configuration: Configuration | None, image: PushedImage) -> list[str]:
    """The ARNs of the profiles that the image should have been signed with when it was pushed."""
    if configuration is None or image.pushed_at < configuration.since:
        return []
    applying = (rule for rule in configuration.rules if rule.applies_to(image.repository))
    return list(dict.fromkeys(rule.profile_arn for rule in applying))


def _configuration(members: Sequence[Mapping[str, Any]], since: datetime) -> Configuration:
    return Configuration(tuple(Rule.of(member) for member in members), since)
