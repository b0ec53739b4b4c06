"""Accounts: each with its number, its root and all that is in it, in every region; nothing of one is another's."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from berth import changes
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import ids
from berth.identity.principals import Principal
from berth.names import ACCOUNT, NameInvalid
from berth.schema import access_keys as keys
from berth.schema import accounts
from berth.sealing import Seal

# AWS Organizations API reference, "CreateAccount", `AccountName`.
NAME_LENGTH = range(1, 51)
# A number that is made begins with no zero, so that no spreadsheet takes it away.
_LOWEST, _HIGHEST = 10**11, 10**12


class AccountTaken(Exception):
    """There is an account of that number already."""


class AccountUnknown(Exception):
    """There is no account of that number."""


@dataclass(frozen=True, slots=True)
class Account:
    """`closed_at`: since when nobody may do anything in it; None: it is open."""

    id: str
    name: str
    created_at: datetime
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


_COLUMNS = (accounts.c.id, accounts.c.name, accounts.c.created_at, accounts.c.closed_at)


def check(account: str | None, name: str | None) -> None:
    """Raises NameInvalid."""
    if account is not None and not ACCOUNT.fullmatch(account):
        raise NameInvalid(f"'{account[:20]}' is not an account id of 12 digits")
    if name is not None and (len(name) not in NAME_LENGTH or not name.isprintable() or name != name.strip()):
        raise NameInvalid(f"'{name[:60]}' is not the name of an account: 1 to {NAME_LENGTH[-1]} characters")


async def create(
    database: Database, seal: Seal, account: str | None = None, name: str | None = None
) -> tuple[Account, AccessKey]:
    """A new account and the access key of its root; its number is made where none is given, and is its name then.

    Raises AccountTaken, NameInvalid.
    """
    check(account, name)
    while True:
        number = account or str(_LOWEST + secrets.randbelow(_HIGHEST - _LOWEST))
        made = await _made(database, seal, number, name or number)
        if made is not None:
            return made
        if account is not None:
            raise AccountTaken(account)


async def _made(database: Database, seal: Seal, number: str, name: str) -> tuple[Account, AccessKey] | None:
    """None where the number is taken."""
    key_id, secret = ids.new(ids.ACCESS_KEY), access_keys.new_secret()
    row = {"id": key_id, "account": number, "sealed_secret": access_keys.sealed(seal, key_id, secret)}
    new = insert(accounts).values(id=number, name=name).on_conflict_do_nothing().returning(*_COLUMNS)
    async with database.transaction() as connection:
        made = (await connection.execute(new)).one_or_none()
        if made is None:
            return None
        await connection.execute(insert(keys).values(row))
    return Account(*made), AccessKey(key_id, secret, Principal.root(number, key_id))


async def listing(database: Database) -> list[Account]:
    """All of them, by their numbers."""
    async with database.reading() as connection:
        return [Account(*row) for row in await connection.execute(select(*_COLUMNS).order_by(accounts.c.id))]


async def get(database: Database, account: str) -> Account:
    """Raises AccountUnknown."""
    async with database.reading() as connection:
        row = (await connection.execute(select(*_COLUMNS).where(accounts.c.id == account))).one_or_none()
    if row is None:
        raise AccountUnknown(account)
    return Account(*row)


async def close(database: Database, account: str) -> None:
    """Within a second nobody may do anything in it any more, its root included; what is in it stays.

    Raises AccountUnknown.
    """
    await _set_closed(database, account, func.coalesce(accounts.c.closed_at, func.now()))


async def reopen(database: Database, account: str) -> None:
    """All is as it was before it was closed. Raises AccountUnknown."""
    await _set_closed(database, account, null())


async def _set_closed(database: Database, account: str, moment: ColumnElement[Any]) -> None:
    async with database.transaction() as connection:
        changed = await connection.execute(update(accounts).where(accounts.c.id == account).values(closed_at=moment))
        if not changed.rowcount:
            raise AccountUnknown(account)
        await changes.tell_of(connection, changes.of_account(account))
