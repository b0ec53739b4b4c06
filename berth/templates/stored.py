"""The repository creation templates of each registry: create, change, describe, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from berth import prefixes, registries
from berth.database.db import Database
from berth.errors import LimitExceeded, TemplateAlreadyExists, TemplateNotFound
from berth.names import Registry
from berth.repositories.mutability import Mutability
from berth.schema import repository_creation_templates
from berth.templates.template import AppliedFor, Template, template_for

# ECR has a quota too, but its number is on no record.
MAX_TEMPLATES = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A template that a registry has."""

    template: Template
    created_at: datetime
    updated_at: datetime


_TABLE = repository_creation_templates.c


def _of(registry: Registry) -> Any:
    return (_TABLE.account == registry.account) & (_TABLE.region == registry.region)


def _named(registry: Registry, prefix: str) -> Any:
    return _of(registry) & (_TABLE.prefix == prefixes.without_slash(prefix))


async def create(database: Database, registry: Registry, template: Template) -> Stored:
    """Raises TemplateAlreadyExists, LimitExceeded."""
    place = {"account": registry.account, "region": registry.region, "prefix": template.key}
    values = {**place, "written_prefix": template.prefix, **_settings(template)}
    statement = insert(repository_creation_templates).values(values).on_conflict_do_nothing().returning(*_TABLE)
    count = select(func.count()).select_from(repository_creation_templates).where(_of(registry))
    async with database.transaction() as connection:
        await registries.hold(connection, registry)
        made = (await connection.execute(statement)).one_or_none()
        if made is None:
            raise TemplateAlreadyExists(registry, template.prefix)
        if (await connection.scalar(count) or 0) > MAX_TEMPLATES:
            raise LimitExceeded(f"A registry can have at most {MAX_TEMPLATES} repository creation templates")
    return _stored(made)


async def change(database: Database, registry: Registry, prefix: str, revise: Callable[[Template], Template]) -> Stored:
    """Put in place of the template what `revise` makes of it. Raises TemplateNotFound, and what `revise` raises."""
    mine = _named(registry, prefix)
    async with database.transaction() as connection:
        row = (await connection.execute(select(*_TABLE).where(mine).with_for_update())).one_or_none()
        if row is None:
            raise TemplateNotFound(registry, prefix)
        settings = _settings(revise(_stored(row).template))
        statement = update(repository_creation_templates).where(mine).values(**settings, updated_at=func.now())
        return _stored((await connection.execute(statement.returning(*_TABLE))).one())


async def page(
    database: Database, registry: Registry, *, among: Sequence[str] | None = None, after: str, limit: int
) -> list[Stored]:
    """At most `limit` templates whose prefixes come after `after`, in the order of their bytes.

    `among`: only those of these prefixes.
    """
    question = select(*_TABLE).where(_of(registry), _TABLE.prefix > after)
    if among is not None:
        # One parameter, whatever their number, for which the API has no bound.
        keys = sorted({prefixes.without_slash(prefix) for prefix in among})
        question = question.where(_TABLE.prefix == any_(bindparam("among", keys, ARRAY(Text))))
    async with database.reading() as connection:
        rows = await connection.execute(question.order_by(_TABLE.prefix).limit(limit))
        return [_stored(row) for row in rows]


async def find_for(
    database: Database, registry: Registry, repository_name: str, applied_for: AppliedFor
) -> Template | None:
    """The template that a new repository of this name gets; None where there is none for it."""
    question = select(*_TABLE).where(_of(registry), _TABLE.prefix.in_(prefixes.matching(repository_name)))
    async with database.reading() as connection:
        found = [_stored(row).template for row in await connection.execute(question)]
    return template_for(found, repository_name, applied_for)


async def remove(database: Database, registry: Registry, prefix: str) -> Stored:
    """Raises TemplateNotFound."""
    statement = delete(repository_creation_templates).where(_named(registry, prefix)).returning(*_TABLE)
    async with database.transaction() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise TemplateNotFound(registry, prefix)
    return _stored(row)


def _settings(template: Template) -> dict[str, Any]:
    return {
        "applied_for": list(template.applied_for),
        "description": template.description,
        "encryption": dict(template.encryption),
        "tag_mutability": template.mutability.mode,
        "mutability_exclusions": template.mutability.filters_as_json(),
        "tags": dict(template.tags),
        "repository_policy": template.repository_policy,
        "lifecycle_policy": template.lifecycle_policy,
        "custom_role_arn": template.role,
    }


def _stored(row: Row[*tuple[Any, ...]]) -> Stored:
    template = Template(
        prefix=row.written_prefix,
        applied_for=tuple(AppliedFor(one) for one in row.applied_for),
        description=row.description,
        encryption=row.encryption,
        mutability=Mutability.of(row.tag_mutability, row.mutability_exclusions),
        tags=row.tags,
        repository_policy=row.repository_policy,
        lifecycle_policy=row.lifecycle_policy,
        role=row.custom_role_arn,
    )
    return Stored(template, row.created_at, row.updated_at)
