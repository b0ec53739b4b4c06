"""Access keys: an id that everybody may see and a secret that is kept sealed under the master key."""

import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from berth import changes
from berth.db import Database
from berth.identity.principals import Principal
from berth.questions import Question
from berth.schema import access_keys
from berth.sealing import Seal

SECRET_LENGTH = 40
_ID_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key and whom it proves."""

    id: str
    secret: str = field(repr=False)
    principal: Principal


@dataclass(frozen=True, slots=True)
class Listed:
    """An access key as it is listed: without its secret."""

    id: str
    account: str
    principal_arn: str
    created_at: datetime


_EXISTS = Question(select(access_keys.c.id).where(access_keys.c.id == bindparam("id")))


async def find(database: Database, seal: Seal, access_key_id: str) -> AccessKey | None:
    """The key of that id. Raises SealBroken when it was sealed under another master key."""
    async with database.reading() as connection:
        row = (await connection.execute(select(access_keys).where(access_keys.c.id == access_key_id))).one_or_none()
    return None if row is None else _opened(seal, row.id, row.account, row.sealed_secret)


async def exists(database: Database, access_key_id: str) -> bool:
    return bool(await database.ask(_EXISTS, id=access_key_id))


async def listing(database: Database) -> list[Listed]:
    """All access keys, by account and age."""
    table = access_keys.c
    question = select(table.id, table.account, table.principal, table.created_at)
    async with database.reading() as connection:
        rows = await connection.execute(question.order_by(table.account, table.created_at, table.id))
    return [Listed(*row) for row in rows]


async def revoke(database: Database, access_key_id: str) -> bool:
    """Take the key back: within a second no process believes it, nor a registry password that was got with it.

    False where there is no such key.
    """
    async with database.transaction() as connection:
        gone = await connection.execute(delete(access_keys).where(access_keys.c.id == access_key_id))
        await changes.tell_of(connection, changes.of_key(access_key_id))
    return bool(gone.rowcount)


async def root_of(database: Database, seal: Seal, account: str) -> AccessKey | None:
    """The newest key of the account's root."""
    root = Principal.root(account, "")
    question = (
        select(access_keys)
        .where(access_keys.c.account == account, access_keys.c.principal == root.arn)
        .order_by(access_keys.c.created_at.desc(), access_keys.c.id)
        .limit(1)
    )
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    return None if row is None else _opened(seal, row.id, row.account, row.sealed_secret)


async def create_root(
    database: Database, seal: Seal, account: str, access_key_id: str | None = None, secret: str | None = None
) -> AccessKey:
    """Make the root key of `account`, or the given one its newest. Without a given key, one that is there stays."""
    if access_key_id is None or secret is None:
        existing = await root_of(database, seal, account)
        if existing is not None:
            return existing
    key_id = access_key_id or "AKIA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16))
    key_secret = secret or "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(SECRET_LENGTH))
    principal = Principal.root(account, key_id)
    row = {
        "id": key_id,
        "account": account,
        "principal": principal.arn,
        "sealed_secret": seal.close(key_secret.encode(), _purpose(key_id)),
    }
    async with database.transaction() as connection:
        await connection.execute(
            insert(access_keys)
            .values(row)
            .on_conflict_do_update(index_elements=["id"], set_={**row, "created_at": access_keys.c.created_at})
        )
        await changes.tell_of(connection, changes.of_key(key_id))
    return AccessKey(key_id, key_secret, principal)


def _purpose(key_id: str) -> str:
    return f"secret of the access key {key_id}"


def _opened(seal: Seal, key_id: str, account: str, sealed: bytes) -> AccessKey:
    secret = seal.open(sealed, _purpose(key_id)).decode()
    return AccessKey(key_id, secret, Principal.root(account, key_id))
