"""Tags of virtual MFA devices (IAM API reference, "TagMFADevice")."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.identity.directory import mfa_devices, tags
from berth.schema import mfa_devices as table


async def add(database: Database, account: str, serial: str, added: Mapping[str, str]) -> None:
    """Raises NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        before = await _held(connection, account, serial)
        await mfa_devices.change(connection, account, serial, tags=tags.merge(before, added, "TagsPerMFADevice"))


async def remove(database: Database, account: str, serial: str, keys: Iterable[str]) -> None:
    """Take off the tags of these keys, those that there are. Raises NoSuchEntity."""
    async with database.transaction() as connection:
        before = await _held(connection, account, serial)
        await mfa_devices.change(connection, account, serial, tags=tags.without(before, keys))


async def _held(connection: AsyncConnection, account: str, serial: str) -> Mapping[str, str]:
    await mfa_devices.hold(connection, account, serial)
    asked = select(table.c.tags).where(mfa_devices.named(account, serial))
    found: Mapping[str, str] = (await connection.execute(asked)).scalar_one()
    return found
