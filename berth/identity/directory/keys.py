"""The access keys of a user, or of the root, as their owner sees them: two at most, their secrets never again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import NoSuchEntity, QuotaExceeded
from berth.identity.credentials import access_keys
from berth.identity.directory import ids
from berth.identity.directory.identities import Identity
from berth.schema import access_keys as table
from berth.schema import accounts, identities
from berth.sealing import Seal

# IAM user guide, "IAM and AWS STS quotas".
MOST_KEYS = 2


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of the account or, without one, its root."""

    account: str
    user: Identity | None

    @property
    def id(self) -> str | None:
        return None if self.user is None else self.user.id

    def owns(self) -> ColumnElement[bool]:
        return (table.c.account == self.account) & table.c.user_id.is_not_distinct_from(self.id)


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """Whose a key is (None: the root's), and when, where and for which service it was used last."""

    user_id: str | None
    user_name: str | None
    at: datetime | None
    region: str | None
    service: str | None


_COLUMNS = (table.c.id, table.c.status, table.c.created_at)
_USE = Question(
    select(
        identities.c.id,
        identities.c.name,
        table.c.last_used_at,
        table.c.last_used_region,
        table.c.last_used_service,
    )
    .select_from(table.outerjoin(identities, identities.c.id == table.c.user_id))
    .where(table.c.account == bindparam("account"), table.c.id == bindparam("id"))
)


async def create(database: Database, seal: Seal, owner: Owner) -> tuple[Key, str]:
    """A new key, and its secret. Raises QuotaExceeded, NoSuchEntity."""
    key_id, secret = ids.new(ids.ACCESS_KEY), access_keys.new_secret()
    row: Mapping[str, Any] = {
        "id": key_id,
        "account": owner.account,
        "user_id": owner.id,
        "sealed_secret": access_keys.sealed(seal, key_id, secret),
    }
    async with database.transaction() as connection:
        await _hold(connection, owner)
        number = select(func.count()).where(owner.owns())
        if (await connection.execute(number)).scalar_one() >= MOST_KEYS:
            raise QuotaExceeded("AccessKeysPerUser", MOST_KEYS)
        made = (await connection.execute(insert(table).values(row).returning(*_COLUMNS))).one()
    return Key(*made), secret


async def _hold(connection: AsyncConnection, owner: Owner) -> None:
    """Until the transaction ends nobody else makes a key for the owner, nor deletes it. Raises NoSuchEntity."""
    held = accounts.c.id == owner.account if owner.user is None else identities.c.id == owner.user.id
    row = (await connection.execute(select(literal(1)).where(held).with_for_update(key_share=True))).one_or_none()
    if row is None and owner.user is not None:
        raise NoSuchEntity.named("user", owner.user.name)


async def all_of(database: Database, owner: Owner) -> list[Key]:
    """By their ids."""
    async with database.reading() as connection:
        rows = await connection.execute(select(*_COLUMNS).where(owner.owns()).order_by(table.c.id))
    return [Key(*row) for row in rows]


async def set_status(database: Database, owner: Owner, key_id: str, status: str) -> None:
    """`status` is Active or Inactive: nobody believes an inactive key. Raises NoSuchEntity."""
    async with database.transaction() as connection:
        changed = await connection.execute(
            update(table).where(table.c.id == key_id, owner.owns()).values(status=status)
        )
        if not changed.rowcount:
            raise NoSuchEntity.key(key_id)
        await changes.tell_of(connection, changes.of_key(key_id))


async def remove(database: Database, owner: Owner, key_id: str) -> None:
    """Raises NoSuchEntity."""
    async with database.transaction() as connection:
        gone = await connection.execute(delete(table).where(table.c.id == key_id, owner.owns()))
        if not gone.rowcount:
            raise NoSuchEntity.key(key_id)
        await changes.tell_of(connection, changes.of_key(key_id))


async def last_use(database: Database, account: str, key_id: str) -> Use | None:
    """None where the account has no such key."""
    rows = await database.ask(_USE, account=account, id=key_id)
    return Use(*rows[0].values()) if rows else None
