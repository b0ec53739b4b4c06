"""Service control policies: what an account may do at most, whoever acts in it, its root included.

AWS Organizations user guide, "Service control policies (SCPs)". All policies of an account are one level: what one of
them allows is allowed, what one of them denies is denied.
"""

import re
from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.errors import MalformedPolicyDocument
from berth.identity.directory.accounts import AccountUnknown
from berth.identity.documents import identity_document
from berth.schema import accounts
from berth.schema import service_control_policies as table

# AWS Organizations user guide, "Quotas and service limits": policies of an account, and characters of each.
MOST_POLICIES = 5
MOST_CHARACTERS = 5120
FULL_ACCESS = "FullAWSAccess"
FULL_ACCESS_TEXT = """{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
}"""
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class NotSuited(Exception):
    """What cannot be a service control policy, or cannot be taken away; the text says why."""


def check(texts: Mapping[str, str]) -> None:
    """The texts of policies, by their names. Raises NotSuited."""
    for name, text in texts.items():
        if not _NAME.fullmatch(name) or name == FULL_ACCESS:
            raise NotSuited(f"'{name[:128]}' cannot be the name of a policy of yours")
        if len(text) > MOST_CHARACTERS:
            raise NotSuited(f"{name} has {len(text):,} characters; {MOST_CHARACTERS:,} are the most")
        try:
            identity_document.parse_managed(text)
        except MalformedPolicyDocument as malformed:
            raise NotSuited(f"{name}: {malformed.message}") from None
    if len(texts) >= MOST_POLICIES:
        raise NotSuited(f"an account has {MOST_POLICIES} policies at most, {FULL_ACCESS} among them")


async def of(database: Database, account: str) -> dict[str, str]:
    """The texts by their names: FullAWSAccess alone, where none was ever set. Raises AccountUnknown."""
    async with database.reading() as connection:
        if await connection.scalar(select(accounts.c.id).where(accounts.c.id == account)) is None:
            raise AccountUnknown(account)
        return await _of(connection, account)


async def put(database: Database, account: str, texts: Mapping[str, str]) -> None:
    """These instead of all that were put before. FullAWSAccess stays until it is removed by its name.

    Raises NotSuited, AccountUnknown.
    """
    check(texts)
    async with database.transaction() as connection:
        await _hold(connection, account)
        before = await _of(connection, account)
        kept = {FULL_ACCESS: FULL_ACCESS_TEXT} if FULL_ACCESS in before else {}
        await _replace(connection, account, {**kept, **texts})


async def remove(database: Database, account: str, *names: str) -> None:
    """Those of these names; all but FullAWSAccess, which comes back, where none is named.

    Raises NotSuited, AccountUnknown.
    """
    async with database.transaction() as connection:
        await _hold(connection, account)
        before = await _of(connection, account)
        unknown = [name for name in names if name not in before]
        if unknown:
            raise NotSuited(f"account {account} has no policy '{unknown[0][:128]}'")
        left = {name: text for name, text in before.items() if name not in names}
        if not left:
            # AWS Organizations API reference, "DetachPolicy": at least one stays.
            raise NotSuited("it is the last: an account needs a policy that allows something")
        await _replace(connection, account, left if names else {})


async def _of(connection: AsyncConnection, account: str) -> dict[str, str]:
    of_account = select(table.c.name, table.c.document).where(table.c.account == account).order_by(table.c.name)
    rows = (await connection.execute(of_account)).all()
    return {row.name: row.document for row in rows} or {FULL_ACCESS: FULL_ACCESS_TEXT}


async def _hold(connection: AsyncConnection, account: str) -> None:
    """Nobody else changes the policies of the account until the transaction ends. Raises AccountUnknown."""
    held = select(accounts.c.id).where(accounts.c.id == account).with_for_update(key_share=True)
    if await connection.scalar(held) is None:
        raise AccountUnknown(account)


async def _replace(connection: AsyncConnection, account: str, texts: Mapping[str, str]) -> None:
    """No rows stand for FullAWSAccess alone, which limits nothing."""
    await connection.execute(delete(table).where(table.c.account == account))
    rows = [{"account": account, "name": name, "document": text} for name, text in texts.items()]
    if rows and texts.keys() != {FULL_ACCESS}:
        await connection.execute(insert(table), rows)
    await changes.tell_of(connection, changes.of_account(account))
