"""Access keys: an id that everybody may see and a secret that is kept sealed under the master key."""

import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import asyncpg
from sqlalchemy import RowMapping, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.identity.directory import ids, names
from berth.identity.principals import Principal
from berth.schema import access_keys, accounts, identities
from berth.sealing import Seal

# A row of _WITH_OWNER.
Row: TypeAlias = "RowMapping | asyncpg.Record"

SECRET_LENGTH = 40
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key and whom it proves."""

    id: str
    secret: str = field(repr=False)
    principal: Principal


@dataclass(frozen=True, slots=True)
class Listed:
    """An access key as it is listed: without its secret. `status` is Active or Inactive."""

    id: str
    account: str
    principal_arn: str
    created_at: datetime
    status: str


_WITH_OWNER = (
    select(access_keys, identities.c.path, identities.c.name)
    .outerjoin(identities, identities.c.id == access_keys.c.user_id)
    .join(accounts, accounts.c.id == access_keys.c.account)
)
_USABLE = (access_keys.c.status == "Active") & accounts.c.closed_at.is_(None)
_FIND = Question(_WITH_OWNER.where(access_keys.c.id == bindparam("id"), _USABLE))


async def find(database: Database, seal: Seal, access_key_id: str) -> AccessKey | None:
    """The key of that id, unless it is inactive or its account closed: then it is as if there were none.

    Raises SealBroken when it was sealed under another master key.
    """
    rows = await database.ask(_FIND, id=access_key_id)
    return _opened(seal, rows[0]) if rows else None


async def listing(database: Database) -> list[Listed]:
    """All access keys, by account and age."""
    order = access_keys.c.account, access_keys.c.created_at, access_keys.c.id
    async with database.reading() as connection:
        rows = (await connection.execute(_WITH_OWNER.order_by(*order))).mappings().all()
    return [Listed(row["id"], row["account"], _owner(row).arn, row["created_at"], row["status"]) for row in rows]


async def revoke(database: Database, access_key_id: str) -> bool:
    """Take the key back: within a second no process believes it, nor a registry password that was got with it.

    False where there is no such key.
    """
    async with database.transaction() as connection:
        gone = await connection.execute(delete(access_keys).where(access_keys.c.id == access_key_id))
        await changes.tell_of(connection, changes.of_key(access_key_id))
    return bool(gone.rowcount)


async def root_of(database: Database, seal: Seal, account: str) -> AccessKey | None:
    """The newest key of the account's root that may be used."""
    question = (
        _WITH_OWNER.where(access_keys.c.account == account, access_keys.c.user_id.is_(None), _USABLE)
        .order_by(access_keys.c.created_at.desc(), access_keys.c.id)
        .limit(1)
    )
    async with database.reading() as connection:
        row = (await connection.execute(question)).mappings().one_or_none()
    return None if row is None else _opened(seal, row)


async def create_root(
    database: Database, seal: Seal, account: str, access_key_id: str | None = None, secret: str | None = None
) -> AccessKey:
    """Make the root key of `account`, or the given one its newest. Without a given key, one that is there stays."""
    if access_key_id is None or secret is None:
        existing = await root_of(database, seal, account)
        if existing is not None:
            return existing
    key_id = access_key_id or ids.new(ids.ACCESS_KEY)
    key_secret = secret or new_secret()
    row = {
        "id": key_id,
        "account": account,
        "user_id": None,
        "status": "Active",
        "sealed_secret": sealed(seal, key_id, key_secret),
    }
    async with database.transaction() as connection:
        await connection.execute(insert(accounts).values(id=account, name=account).on_conflict_do_nothing())
        await connection.execute(
            insert(access_keys)
            .values(row)
            .on_conflict_do_update(index_elements=["id"], set_={**row, "created_at": access_keys.c.created_at})
        )
        await changes.tell_of(connection, changes.of_key(key_id))
    return AccessKey(key_id, key_secret, Principal.root(account, key_id))


def new_secret() -> str:
    return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(SECRET_LENGTH))


def sealed(seal: Seal, key_id: str, secret: str) -> bytes:
    """The secret of the key as the table keeps it."""
    return seal.close(secret.encode(), _purpose(key_id))


def _purpose(key_id: str) -> str:
    return f"secret of the access key {key_id}"


def _opened(seal: Seal, row: Row) -> AccessKey:
    secret = seal.open(row["sealed_secret"], _purpose(row["id"])).decode()
    return AccessKey(row["id"], secret, _owner(row))


def _owner(row: Row) -> Principal:
    """Whom the key proves, by its user's name of today."""
    account = row["account"]
    if row["user_id"] is None:
        return Principal.root(account, row["id"])
    return Principal.user(account, names.arn(account, "user", row["path"], row["name"]), row["user_id"], row["id"])
