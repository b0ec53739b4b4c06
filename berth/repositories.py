"""Repositories: create, find, describe, delete, and the settings and tags of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, Select, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.db import Database
from berth.encryption import AES256
from berth.errors import InvalidParameter, RepositoryAlreadyExists, RepositoryNotEmpty, RepositoryNotFound
from berth.mutability import Mutability
from berth.names import PATH_STYLE_PREFIX, Registry, RepositoryName
from berth.schema import images, repositories

log = structlog.get_logger()


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
    repositories.c.account,
    repositories.c.region,
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


def from_row(row: Row[*tuple[Any, ...]]) -> Repository:
    return Repository(
        id=row.id,
        registry=Registry(row.account, row.region),
        name=RepositoryName(row.name),
        created_at=row.created_at,
        mutability=Mutability.of(row.tag_mutability, row.mutability_exclusions),
        scan_on_push=row.scan_on_push,
        encryption=row.encryption,
    )


async def create(
    database: Database,
    registry: Registry,
    name: RepositoryName,
    *,
    mutability: Mutability,
    scan_on_push: bool = False,
    encryption: Mapping[str, str] = AES256,
    tags: Mapping[str, str] | None = None,
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
    }
    statement = insert(repositories).values(row).on_conflict_do_nothing().returning(*COLUMNS)
    async with database.transaction() as connection:
        made = (await connection.execute(statement)).one_or_none()
    if made is None:
        raise RepositoryAlreadyExists(registry, name)
    if encryption != AES256:
        log.warning("the layers of this repository are stored without the encryption it asks for", repository=name)
    return from_row(made)


async def get(database: Database, registry: Registry, name: str) -> Repository:
    """Raises RepositoryNotFound."""
    async with database.reading() as connection:
        row = (await connection.execute(select(*COLUMNS).where(named(registry, name)))).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(row)


async def hold(connection: AsyncConnection, registry: Registry, name: str) -> Repository:
    """The repository, which stays until the transaction ends: every one that adds to it begins so.

    Raises RepositoryNotFound.
    """
    row = (
        await connection.execute(
            select(*COLUMNS).where(named(registry, name)).with_for_update(read=True, key_share=True)
        )
    ).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(row)


async def get_all(database: Database, registry: Registry, names: Sequence[str]) -> list[Repository]:
    """The repositories of these names, in their order. Raises RepositoryNotFound for the first that is missing."""
    question = select(*COLUMNS).where(
        repositories.c.account == registry.account,
        repositories.c.region == registry.region,
        repositories.c.name.in_(names),
    )
    async with database.reading() as connection:
        found = {row.name: from_row(row) for row in await connection.execute(question)}
    for name in names:
        if name not in found:
            raise RepositoryNotFound(registry, name)
    return [found[name] for name in dict.fromkeys(names)]


async def page(database: Database, registry: Registry, *, after: str, limit: int) -> list[Repository]:
    """At most `limit` repositories whose names come after `after`, in the order of their bytes."""
    async with database.reading() as connection:
        rows = await connection.execute(_page(registry, after, limit))
        return [from_row(row) for row in rows]


def _page(registry: Registry, after: str, limit: int) -> Select[*tuple[Any, ...]]:
    return (
        select(*COLUMNS)
        .where(
            repositories.c.account == registry.account,
            repositories.c.region == registry.region,
            repositories.c.name > after,
        )
        .order_by(repositories.c.name)
        .limit(limit)
    )


async def remove(database: Database, registry: Registry, name: str, *, force: bool) -> Repository:
    """Delete the repository and what it holds. Raises RepositoryNotFound, and RepositoryNotEmpty without `force`."""
    async with database.transaction() as connection:
        locked = await connection.execute(select(*COLUMNS).where(named(registry, name)).with_for_update())
        row = locked.one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        if not force and await _holds_images(connection, row.id):
            raise RepositoryNotEmpty(registry, name)
        await connection.execute(delete(repositories).where(repositories.c.id == row.id))
    return from_row(row)


async def _holds_images(connection: AsyncConnection, repository_id: int) -> bool:
    return bool(await connection.scalar(select(exists().where(images.c.repository_id == repository_id))))


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
    async with database.transaction() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(row)
