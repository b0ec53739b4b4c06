"""Repositories are made, and their settings changed."""

from collections.abc import Mapping

import structlog
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from berth.database.db import Database
from berth.errors import InvalidParameter, RepositoryAlreadyExists, RepositoryNotFound
from berth.names import PATH_STYLE_PREFIX, Registry, RepositoryName
from berth.repositories.encryption import AES256
from berth.repositories.mutability import Mutability
from berth.repositories.repository import COLUMNS, Repository, from_row, named
from berth.schema import repositories

log = structlog.get_logger()

_CREATE = insert(repositories).on_conflict_do_nothing().returning(*COLUMNS)


async def create(
    database: Database,
    registry: Registry,
    name: RepositoryName,
    *,
    mutability: Mutability,
    scan_on_push: bool = False,
    encryption: Mapping[str, str] = AES256,
    tags: Mapping[str, str] | None = None,
    policy: str | None = None,
    lifecycle_policy: str | None = None,
) -> Repository:
    """Raises RepositoryAlreadyExists, and InvalidParameter for a name that path style would take for a registry."""
    if PATH_STYLE_PREFIX.match(name):
        raise InvalidParameter(
            "repositoryName", "must not begin with an account id and a region, which name another registry"
        )
    row = {
        "account": registry.account,
        "region": registry.region,
        "name": name,
        "tag_mutability": mutability.mode,
        "mutability_exclusions": mutability.filters_as_json(),
        "scan_on_push": scan_on_push,
        "encryption": dict(encryption),
        "tags": dict(tags or {}),
        "policy": policy,
        "lifecycle_policy": lifecycle_policy,
    }
    async with database.autocommit() as connection:
        made = (await connection.execute(_CREATE, row)).mappings().one_or_none()
    if made is None:
        raise RepositoryAlreadyExists(registry, name)
    if encryption != AES256:
        log.warning("the layers of this repository are stored without the encryption it asks for", repository=name)
    return from_row(registry, made)


async def set_mutability(database: Database, registry: Registry, name: str, mutability: Mutability) -> Repository:
    """Raises RepositoryNotFound."""
    return await _set(
        database, registry, name, tag_mutability=mutability.mode, mutability_exclusions=mutability.filters_as_json()
    )


async def set_scan_on_push(database: Database, registry: Registry, name: str, on: bool) -> Repository:
    """Raises RepositoryNotFound."""
    return await _set(database, registry, name, scan_on_push=on)


async def _set(database: Database, registry: Registry, name: str, **values: object) -> Repository:
    statement = update(repositories).where(named(registry, name)).values(values).returning(*COLUMNS)
    async with database.autocommit() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, row)
