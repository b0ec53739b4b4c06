"""What a managed policy says, and said before: its versions, `v1`, `v2`, …, of which one is in force.

IAM user guide, "Versioning IAM policies".
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import NoSuchEntity, PolicyInUse, TooManyVersions
from berth.identity.directory import aws_policies, customer_policies, held_policies
from berth.identity.directory.managed_policies import ManagedPolicy
from berth.schema import policies
from berth.schema import policy_versions as table

MOST_VERSIONS = 5
# No more digits than an integer of the database holds.
_ID = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Version:
    is_default: bool
    number: int
    document: str
    created_at: datetime

    @property
    def id(self) -> str:
        return f"v{self.number}"


_COLUMNS = (table.c.version, table.c.document, table.c.created_at)
_VERSIONS = Question(
    select(*_COLUMNS).where(table.c.policy_id == bindparam("policy_id")).order_by(table.c.version.desc())
)


async def all_of(database: Database, policy: ManagedPolicy) -> list[Version]:
    """The newest first; of AWS's policies, the one that is in force."""
    if policy.account == aws_policies.AWS:
        known = aws_policies.BY_ARN[policy.arn]
        return [Version(True, known.version, known.document, known.updated_at)]
    rows = await database.ask(_VERSIONS, policy_id=policy.id)
    return [Version(row["version"] == policy.default_version, *row.values()) for row in rows]


async def get(database: Database, policy: ManagedPolicy, version_id: str) -> Version:
    """Raises NoSuchEntity."""
    for version in await all_of(database, policy):
        if version.id == version_id:
            return version
    raise _missing(policy.arn, version_id)


async def create(database: Database, account: str, arn: str, document: str, *, as_default: bool) -> Version:
    """Raises InvalidInput, NoSuchEntity, MalformedPolicyDocument, PolicyTooLarge, TooManyVersions."""
    customer_policies.check(document)
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn)
        number = select(func.count()).where(table.c.policy_id == policy.id)
        if (await connection.execute(number)).scalar_one() >= MOST_VERSIONS:
            raise TooManyVersions(MOST_VERSIONS)
        newest = policy.latest_version + 1
        making = insert(table).values(policy_id=policy.id, version=newest, document=document).returning(*_COLUMNS)
        made = (await connection.execute(making)).one()
        default = {"default_version": newest} if as_default else {}
        noting = update(policies).where(policies.c.id == policy.id)
        await connection.execute(noting.values(latest_version=newest, updated_at=made.created_at, **default))
        if as_default:
            await changes.tell_of(connection, changes.of_policy(arn))
    return Version(as_default, *made)


async def set_default(database: Database, account: str, arn: str, version_id: str) -> None:
    """Raises InvalidInput, NoSuchEntity."""
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn)
        number = _number(arn, version_id)
        is_there = select(table.c.version).where(table.c.policy_id == policy.id, table.c.version == number)
        if (await connection.execute(is_there)).one_or_none() is None:
            raise _missing(arn, version_id)
        await connection.execute(update(policies).where(policies.c.id == policy.id).values(default_version=number))
        await changes.tell_of(connection, changes.of_policy(arn))


async def remove(database: Database, account: str, arn: str, version_id: str) -> None:
    """Raises InvalidInput, NoSuchEntity, PolicyInUse for the version that is in force."""
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn)
        number = _number(arn, version_id)
        if number == policy.default_version:
            raise PolicyInUse("Cannot delete the default version of a policy.")
        gone = await connection.execute(delete(table).where(table.c.policy_id == policy.id, table.c.version == number))
        if not gone.rowcount:
            raise _missing(arn, version_id)


def _number(arn: str, version_id: str) -> int:
    matched = _ID.fullmatch(version_id)
    if matched is None:
        raise _missing(arn, version_id)
    return int(matched[1])


def _missing(arn: str, version_id: str) -> NoSuchEntity:
    return NoSuchEntity.attachable(f"{arn} version {version_id}")
