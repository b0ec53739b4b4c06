"""Virtual MFA devices: made, found, listed and deleted (IAM user guide, "Assign a virtual MFA device").

A device is nobody's until it is enabled for a user (`mfa_enabling`). Its seed is kept sealed, and shown once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import DeviceInUse, EntityAlreadyExists, NoSuchEntity
from berth.identity.directory import names, quotas
from berth.identity.directory.identities import COLUMNS, QUOTAS, Identity
from berth.identity.mfa import one_time_codes
from berth.schema import identities
from berth.schema import mfa_devices as table
from berth.sealing import Seal

# IAM user guide, "IAM and AWS STS quotas": as many as users.
MOST_DEVICES = QUOTAS["user"][1]


@dataclass(frozen=True, slots=True)
class Device:
    """`serial` is its ARN; `user` whose it is, since `enabled_at`, if it is anybody's."""

    serial: str
    tags: Mapping[str, str] = field(hash=False)
    enabled_at: datetime | None = None
    user: Identity | None = None


def named(account: str, serial: str) -> ColumnElement[bool]:
    """The condition that a row is the device of the account with that serial number."""
    return (table.c.account == account) & (table.c.serial == serial)


_COLUMNS = (table.c.serial, table.c.tags.label("device_tags"), table.c.enabled_at)
_WITH_USER = select(*_COLUMNS, *COLUMNS).select_from(table.outerjoin(identities, identities.c.id == table.c.user_id))
_FIND = Question(_WITH_USER.where(table.c.account == bindparam("account"), table.c.serial == bindparam("serial")))
_OF_USER = Question(_WITH_USER.where(table.c.user_id == bindparam("user")).order_by(table.c.serial))
_ASSIGNED = bindparam("assigned", type_=Boolean)
_PAGE = Question(
    _WITH_USER.where(
        table.c.account == bindparam("account"),
        table.c.serial > bindparam("after"),
        or_(_ASSIGNED.is_(None), table.c.user_id.is_not(None) == _ASSIGNED),
    )
    .order_by(table.c.serial)
    .limit(bindparam("limit"))
)


async def create(
    database: Database, seal: Seal, account: str, path: str, name: str, tags: Mapping[str, str]
) -> tuple[Device, bytes]:
    """A new device and its seed. Raises ValidationError, EntityAlreadyExists, QuotaExceeded."""
    names.check_path(path)
    names.check_name(name, "virtualMFADeviceName")
    serial, seed = names.arn(account, "mfa", path, name), one_time_codes.new_seed()
    sealed = seal.close(seed, purpose(serial))
    row = {"account": account, "serial": serial, "sealed_seed": sealed, "tags": tags}
    making = insert(table).values(row).on_conflict_do_nothing().returning(table.c.serial)
    async with database.transaction() as connection:
        mine = table.c.account == account
        await quotas.hold(connection, account, mine, "VirtualMFADevicesPerAccount", MOST_DEVICES)
        made = (await connection.execute(making)).one_or_none()
    if made is None:
        raise EntityAlreadyExists("MFADevice entity at the same path and name already exists.")
    return Device(serial, tags), seed


def purpose(serial: str) -> str:
    """For what its seed is sealed."""
    return f"seed of the MFA device {serial}"


async def get(database: Database, account: str, serial: str) -> Device:
    """Raises NoSuchEntity."""
    rows = await database.ask(_FIND, account=account, serial=serial)
    if not rows:
        raise NoSuchEntity.device(serial)
    return _device(rows[0])


async def all_of(database: Database, user: Identity) -> list[Device]:
    """Those that are enabled for the user, by their serial numbers."""
    return [_device(row) for row in await database.ask(_OF_USER, user=user.id)]


async def page(
    database: Database, account: str, *, assigned: bool | None = None, after: str = "", limit: int
) -> list[Device]:
    """Those that are somebody's, nobody's (`assigned`) or either, by serial number, the first after `after`."""
    rows = await database.ask(_PAGE, account=account, assigned=assigned, after=after, limit=limit)
    return [_device(row) for row in rows]


async def remove(database: Database, account: str, serial: str) -> None:
    """Raises NoSuchEntity, DeviceInUse."""
    async with database.transaction() as connection:
        user_id = await hold(connection, account, serial)
        if user_id is not None:
            raise DeviceInUse
        await connection.execute(delete(table).where(named(account, serial)))


async def hold(connection: AsyncConnection, account: str, serial: str) -> str | None:
    """The device stays as it is until the transaction ends; returns the id of its user. Raises NoSuchEntity."""
    holding = select(table.c.user_id).where(named(account, serial)).with_for_update()
    row = (await connection.execute(holding)).one_or_none()
    if row is None:
        raise NoSuchEntity.device(serial)
    user_id: str | None = row.user_id
    return user_id


async def change(connection: AsyncConnection, account: str, serial: str, **values: object) -> None:
    """Set these columns of the device."""
    await connection.execute(update(table).where(named(account, serial)).values(values))


def _device(row: Mapping[str, object]) -> Device:
    fields = dict(row)
    device = {name: fields.pop(name) for name in ("serial", "enabled_at")}
    tags = fields.pop("device_tags")
    user = Identity(**fields) if fields["id"] is not None else None  # type: ignore[arg-type]
    return Device(tags=tags, user=user, **device)  # type: ignore[arg-type]
