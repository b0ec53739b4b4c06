"""The documents that a repository carries: its policy and its lifecycle policy, each kept as the text that was put."""

from datetime import datetime

from sqlalchemy import Column, select, update

from berth import changes
from berth.database.db import Database
from berth.errors import LifecyclePolicyNotFound, RepositoryNotFound, RepositoryPolicyNotFound
from berth.names import Registry
from berth.repositories import named
from berth.schema import repositories


async def set_policy(database: Database, registry: Registry, name: str, text: str) -> None:
    """Raises RepositoryNotFound."""
    await _put(database, registry, name, repositories.c.policy, text)


async def get_policy(database: Database, registry: Registry, name: str) -> str:
    """Raises RepositoryNotFound, RepositoryPolicyNotFound."""
    async with database.reading() as connection:
        row = (await connection.execute(select(repositories.c.policy).where(named(registry, name)))).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    if row.policy is None:
        raise RepositoryPolicyNotFound(registry, name)
    return str(row.policy)


async def remove_policy(database: Database, registry: Registry, name: str) -> str:
    """Remove the policy and return it. Raises RepositoryNotFound, RepositoryPolicyNotFound."""
    text, _ = await _take(database, registry, name, repositories.c.policy)
    if text is None:
        raise RepositoryPolicyNotFound(registry, name)
    return text


async def set_lifecycle_policy(database: Database, registry: Registry, name: str, text: str) -> None:
    """Raises RepositoryNotFound."""
    await _put(database, registry, name, repositories.c.lifecycle_policy, text)


async def get_lifecycle_policy(database: Database, registry: Registry, name: str) -> tuple[str, datetime | None]:
    """The text, and when it last ran. Raises RepositoryNotFound, LifecyclePolicyNotFound."""
    question = select(repositories.c.lifecycle_policy, repositories.c.lifecycle_evaluated_at)
    async with database.reading() as connection:
        row = (await connection.execute(question.where(named(registry, name)))).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    if row.lifecycle_policy is None:
        raise LifecyclePolicyNotFound(registry, name)
    return row.lifecycle_policy, row.lifecycle_evaluated_at


async def remove_lifecycle_policy(database: Database, registry: Registry, name: str) -> tuple[str, datetime | None]:
    """Remove the policy; return it and when it last ran. Raises RepositoryNotFound, LifecyclePolicyNotFound."""
    text, evaluated_at = await _take(database, registry, name, repositories.c.lifecycle_policy)
    if text is None:
        raise LifecyclePolicyNotFound(registry, name)
    return text, evaluated_at


async def _put(database: Database, registry: Registry, name: str, column: Column[str], text: str) -> None:
    statement = update(repositories).where(named(registry, name)).values({column: text}).returning(repositories.c.id)
    async with database.transaction() as connection:
        changed = await connection.scalar(statement)
        if changed is None:
            raise RepositoryNotFound(registry, name)
        if column is repositories.c.policy:
            await changes.tell_of(connection, changes.of_access(changed))


async def _take(
    database: Database, registry: Registry, name: str, column: Column[str]
) -> tuple[str | None, datetime | None]:
    """Clear `column`; return what it held, and when the lifecycle policy last ran. Raises RepositoryNotFound."""
    held = (
        select(repositories.c.id, column.label("text"), repositories.c.lifecycle_evaluated_at)
        .where(named(registry, name))
        .with_for_update()
        .subquery("held")
    )
    statement = update(repositories).where(repositories.c.id == held.c.id).values({column: None})
    found = held.c.id, held.c.text, held.c.lifecycle_evaluated_at
    async with database.transaction() as connection:
        row = (await connection.execute(statement.returning(*found))).one_or_none()
        if row is None:
            raise RepositoryNotFound(registry, name)
        if column is repositories.c.policy:
            await changes.tell_of(connection, changes.of_access(row.id))
    return row.text, row.lifecycle_evaluated_at
