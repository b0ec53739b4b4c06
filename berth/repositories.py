"""Repositories: create, find, describe, delete, and the settings and tags of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ARRAY, Text, and_, any_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.encryption import AES256
from berth.errors import InvalidParameter, RepositoryAlreadyExists, RepositoryNotEmpty, RepositoryNotFound
from berth.mutability import Mutability
from berth.names import PATH_STYLE_PREFIX, Registry, RepositoryName
from berth.recovery import deleted_images
from berth.schema import image_references, images, layers, repositories, repository_layers

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

_BY_NAME = Question(select(*COLUMNS).where(NAMED))
_CREATE = insert(repositories).on_conflict_do_nothing().returning(*COLUMNS)
_HELD = select(*COLUMNS).where(NAMED).with_for_update(read=True, key_share=True)
HELD = Question(_HELD)
_BY_NAMES = Question(
    select(*COLUMNS).where(OF_REGISTRY, repositories.c.name == any_(bindparam("names", type_=ARRAY(Text))))
)
_PAGE = Question(
    select(*COLUMNS)
    .where(OF_REGISTRY, repositories.c.name > bindparam("after"))
    .order_by(repositories.c.name)
    .limit(bindparam("limit"))
)


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


async def get(database: Database, registry: Registry, name: str) -> Repository:
    """Raises RepositoryNotFound."""
    rows = await database.ask(_BY_NAME, **naming(registry, name))
    if not rows:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, rows[0])


async def ask(
    database: Database, question: Question, registry: Registry, name: str, each: str = "digest", /, **given: object
) -> list[Any]:
    """The rows about what a repository contains; the question is NAMED, and joins what has an `each` if there is any.

    Raises RepositoryNotFound.
    """
    rows = await database.ask(question, **naming(registry, name), **given)
    if not rows:
        raise RepositoryNotFound(registry, name)
    return [row for row in rows if row[each] is not None]


async def hold(connection: AsyncConnection, registry: Registry, name: str) -> Repository:
    """The repository, which stays until the transaction ends: every one that adds to it begins so.

    Raises RepositoryNotFound.
    """
    row = (await connection.execute(_HELD, naming(registry, name))).mappings().one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, row)


async def get_all(database: Database, registry: Registry, names: Sequence[str]) -> list[Repository]:
    """The repositories of these names, in their order. Raises RepositoryNotFound for the first that is missing."""
    rows = await database.ask(_BY_NAMES, account=registry.account, region=registry.region, names=names)
    found = {row["name"]: from_row(registry, row) for row in rows}
    for name in names:
        if name not in found:
            raise RepositoryNotFound(registry, name)
    return [found[name] for name in dict.fromkeys(names)]


async def page(database: Database, registry: Registry, *, after: str, limit: int) -> list[Repository]:
    """At most `limit` repositories whose names come after `after`, in the order of their bytes."""
    rows = await database.ask(_PAGE, account=registry.account, region=registry.region, after=after, limit=limit)
    return [from_row(registry, row) for row in rows]


async def remove(database: Database, registry: Registry, name: str, *, force: bool) -> Repository:
    """Delete the repository and what it holds. Raises RepositoryNotFound, and RepositoryNotEmpty without `force`."""
    async with database.transaction() as connection:
        locked = await connection.execute(select(*COLUMNS).where(named(registry, name)).with_for_update())
        row = locked.mappings().one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        if not force and await _holds_images(connection, row["id"]):
            raise RepositoryNotEmpty(registry, name)
        await deleted_images.keep(connection, row["id"])
        await _let_go_of_layers(connection, registry, row["id"])
        await connection.execute(delete(repositories).where(repositories.c.id == row["id"]))
        await changes.tell_of(connection, changes.of_repository(row["id"]), changes.of_access(row["id"]))
    return from_row(registry, row)


async def _let_go_of_layers(connection: AsyncConnection, registry: Registry, repository_id: int) -> None:
    """Note that those layers of the repository that none of its images needs may be held by nobody when it is gone.

    The others are its deleted images' then.
    """
    needed = exists().where(
        image_references.c.repository_id == repository_layers.c.repository_id,
        image_references.c.referenced == repository_layers.c.digest,
    )
    held = select(repository_layers.c.digest).where(repository_layers.c.repository_id == repository_id, ~needed)
    theirs = and_(layers.c.account == registry.account, layers.c.region == registry.region, layers.c.digest.in_(held))
    locked = select(layers.c.digest).where(theirs).order_by(layers.c.digest).with_for_update().cte("locked")
    mine = and_(
        layers.c.account == registry.account,
        layers.c.region == registry.region,
        layers.c.digest.in_(select(locked.c.digest)),
    )
    await connection.execute(update(layers).where(mine).values(unused_since=func.now()))


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
    async with database.autocommit() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return from_row(registry, row)
