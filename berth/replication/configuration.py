"""The replication configuration that a registry keeps, and what became of an image under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import case, func, select

from berth import registries as rows
from berth.database.db import Database
from berth.images.pushed import PushedImage
from berth.names import Registry
from berth.replication import rules
from berth.replication.rules import Rule
from berth.schema import registries

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The rules of a registry, and since when they have been these; never, where none was ever put."""

    rules: tuple[Rule, ...] = ()
    since: datetime | None = None


async def put(database: Database, registry: Registry, given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Put these rules in the place of those that there are. Raises InvalidParameter."""
    new = tuple(Rule.of(member) for member in given)
    rules.check(registry, new)
    members = [rule.member() for rule in new]
    table = registries.c
    since = case((table.replication_rules == members, table.replication_since), else_=func.now())
    values = {"replication_rules": members, "replication_since": func.now()}
    await rows.put(database, registry, values, replication_since=since)
    if new:
        log.warning(
            "the images that these rules are about are not replicated: nothing here copies them",
            account=registry.account,
        )
    return new


async def get(database: Database, registry: Registry) -> Configuration:
    question = select(registries.c.replication_rules, registries.c.replication_since).where(rows.row_of(registry))
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    return Configuration() if row is None else Configuration(_rules(row.replication_rules), row.replication_since)


def owed(configuration: Configuration, image: PushedImage) -> list[Registry]:
    """The registries that should have got a copy of the image when it was pushed, by the rules of that time.

    ECR user guide: only content that is pushed after replication was configured is replicated.
    """
    if configuration.since is None or image.pushed_at < configuration.since:
        return []
    return rules.destinations(configuration.rules, image.repository)


def _rules(members: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(Rule.of(member) for member in members)
