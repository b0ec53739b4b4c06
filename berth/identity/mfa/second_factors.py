"""Whether a caller has its MFA device at hand: the code of the moment, each taken once.

IAM user guide, "Secure API access with MFA". Who has a user's access key and guesses at codes gets on no faster than
one guess a minute, whichever process and whichever address are asked: after MOST_WRONG wrong codes in a row, a code is
not looked at until a minute after the last that was. The answer is the same, so that nothing is learned meanwhile.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.errors.sts import SecondFactorRefused, WrongCode
from berth.identity.directory import mfa_devices
from berth.identity.mfa import one_time_codes
from berth.identity.principals import Kind, Principal
from berth.schema import mfa_devices as table
from berth.sealing import Seal

MOST_WRONG = 5
PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Held:
    """A row of a device that nobody else changes meanwhile."""

    sealed_seed: bytes = field(repr=False)
    drift: int
    latest_step: int
    wrong_codes: int
    wrong_at: datetime | None

    def is_paused(self, now: datetime) -> bool:
        return self.wrong_codes >= MOST_WRONG and self.wrong_at is not None and now < self.wrong_at + PAUSE


_COLUMNS = tuple(table.c[name] for name in _Held.__dataclass_fields__)


async def prove(database: Database, seal: Seal, caller: Principal, serial: str | None, code: str | None) -> None:
    """Take the code of the caller's device. Raises SecondFactorRefused, of which WrongCode says that the code is it."""
    if not serial or not code:
        raise SecondFactorRefused.lacking()
    if caller.kind is not Kind.USER:
        raise SecondFactorRefused.no_device()
    async with database.transaction() as connection:
        device = await _held(connection, caller, serial)
        if device is None:
            raise SecondFactorRefused.no_device()
        is_right = await _take(connection, seal, caller.account, serial, device, code)
    # The wrong code is noted by now.
    if not is_right:
        raise WrongCode


async def _held(connection: AsyncConnection, caller: Principal, serial: str) -> _Held | None:
    its = mfa_devices.named(caller.account, serial) & (table.c.user_id == caller.identity_id)
    row = (await connection.execute(select(*_COLUMNS).where(its).with_for_update())).one_or_none()
    return None if row is None else _Held(*row)


async def _take(connection: AsyncConnection, seal: Seal, account: str, serial: str, device: _Held, code: str) -> bool:
    """Whether the code is right; either way the device is marked so."""
    now = datetime.now(UTC)
    if device.is_paused(now):
        return False
    seed = seal.open(device.sealed_seed, mfa_devices.purpose(serial))
    its_now = one_time_codes.step_at(now) + device.drift
    step = one_time_codes.step_of(seed, code, its_now, device.latest_step)
    if step is None:
        await mfa_devices.change(connection, account, serial, wrong_codes=device.wrong_codes + 1, wrong_at=now)
    else:
        await mfa_devices.change(connection, account, serial, latest_step=step, wrong_codes=0, wrong_at=None)
    return step is not None
