"""Whose a virtual MFA device is: enabled by two codes in a row, brought back in step, deactivated.

IAM API reference, "EnableMFADevice", "ResyncMFADevice", "DeactivateMFADevice".
"""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.errors.iam import EntityAlreadyExists, InvalidAuthenticationCode, NoSuchEntity, QuotaExceeded
from berth.identity.directory import identities, mfa_devices
from berth.identity.mfa import one_time_codes
from berth.schema import mfa_devices as table
from berth.sealing import Seal

# IAM user guide, "IAM and AWS STS quotas".
MOST_OF_USER = 8
Codes = tuple[str, str]


async def enable(database: Database, seal: Seal, account: str, user_name: str, serial: str, codes: Codes) -> None:
    """Raises NoSuchEntity, EntityAlreadyExists, InvalidAuthenticationCode, QuotaExceeded."""
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", user_name)
        if await mfa_devices.hold(connection, account, serial) is not None:
            raise EntityAlreadyExists("MFA Device is already in use.")
        others = select(func.count()).where(table.c.user_id == user.id)
        if (await connection.execute(others)).scalar_one() >= MOST_OF_USER:
            raise QuotaExceeded("MFADevicesPerUser", MOST_OF_USER)
        in_step = await _in_step(connection, seal, account, serial, codes)
        await mfa_devices.change(connection, account, serial, user_id=user.id, enabled_at=func.now(), **in_step)


async def resync(database: Database, seal: Seal, account: str, user_name: str, serial: str, codes: Codes) -> None:
    """Go by the device's clock as these codes tell it. Raises NoSuchEntity, InvalidAuthenticationCode."""
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", user_name)
        await _check_users(connection, user.id, account, serial)
        in_step = await _in_step(connection, seal, account, serial, codes)
        await mfa_devices.change(connection, account, serial, **in_step)


async def deactivate(database: Database, account: str, user_name: str, serial: str) -> None:
    """Let the device be nobody's. Raises NoSuchEntity."""
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", user_name)
        await _check_users(connection, user.id, account, serial)
        await mfa_devices.change(connection, account, serial, user_id=None, enabled_at=None)


async def _check_users(connection: AsyncConnection, user_id: str, account: str, serial: str) -> None:
    if await mfa_devices.hold(connection, account, serial) != user_id:
        raise NoSuchEntity.device_of_user()


async def _in_step(
    connection: AsyncConnection, seal: Seal, account: str, serial: str, codes: Codes
) -> dict[str, object]:
    """The columns of a device that gave these codes just now. Raises InvalidAuthenticationCode."""
    asked = select(table.c.sealed_seed, table.c.latest_step).where(mfa_devices.named(account, serial))
    row = (await connection.execute(asked)).one()
    now = one_time_codes.step_at(datetime.now(UTC))
    seed = seal.open(row.sealed_seed, mfa_devices.purpose(serial))
    latter = one_time_codes.latter_step_of(seed, codes, now, row.latest_step)
    if latter is None:
        raise InvalidAuthenticationCode
    drift = one_time_codes.drift_of(latter, now)
    return {"drift": drift, "latest_step": latter, "wrong_codes": 0, "wrong_at": None}
