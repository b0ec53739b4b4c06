"""Roles: what others may become for a while, where the trust policy lets them (IAM user guide, "IAM roles")."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update as updating
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.identity.directory import identities, mentions, trusted
from berth.identity.directory.identities import COLUMNS, Identity
from berth.identity.documents import policy_sizes, trust_document
from berth.schema import identities as table

# IAM API reference, "CreateRole", `MaxSessionDuration`.
DEFAULT_SESSION_SECONDS = 3600


async def create(
    database: Database,
    account: str,
    path: str,
    name: str,
    trust_policy: str,
    *,
    tags: Mapping[str, str],
    description: str | None = None,
    max_session_seconds: int = DEFAULT_SESSION_SECONDS,
    boundary: str | None = None,
) -> Identity:
    """Raises MalformedPolicyDocument, PolicyTooLarge, EntityAlreadyExists, QuotaExceeded, ValidationError; of the
    boundary, the ARN of a managed policy, InvalidInput and NoSuchEntity.
    """
    await _check_trust(database, trust_policy)
    trust_policy = mentions.plain(trust_policy)
    return await identities.create(
        database,
        account,
        "role",
        path,
        name,
        trust_policy=trust_policy,
        tags=tags,
        description=description,
        max_session_seconds=max_session_seconds,
        boundary=boundary,
    )


async def set_trust_policy(database: Database, account: str, name: str, document: str) -> None:
    """Raises NoSuchEntity, MalformedPolicyDocument, PolicyTooLarge."""
    await _check_trust(database, document)
    async with database.transaction() as connection:
        role = await identities.locked(connection, account, "role", name)
        await _set(connection, role, trust_policy=mentions.plain(document))


async def update(
    database: Database, account: str, name: str, *, description: str | None, max_session_seconds: int | None
) -> Identity:
    """Change what is given. Raises NoSuchEntity."""
    given = {"description": description, "max_session_seconds": max_session_seconds}
    new = {name: value for name, value in given.items() if value is not None}
    async with database.transaction() as connection:
        role = await identities.locked(connection, account, "role", name)
        return await _set(connection, role, **new) if new else role


async def delete(database: Database, account: str, name: str) -> None:
    """Raises NoSuchEntity, DeleteConflict."""
    async with database.transaction() as connection:
        await identities.remove(connection, await identities.locked(connection, account, "role", name))


async def _check_trust(database: Database, document: str) -> None:
    policy = trust_document.parse(document)
    policy_sizes.check_trust(document)
    await trusted.check(database, policy)


async def _set(connection: AsyncConnection, role: Identity, **new: Any) -> Identity:
    changing = updating(table).where(table.c.id == role.id).values(**new).returning(*COLUMNS)
    changed = (await connection.execute(changing)).one()
    await changes.tell_of(connection, changes.of_identity(role.id))
    return identities.of_row(changed)
