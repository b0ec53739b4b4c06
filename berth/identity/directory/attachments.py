"""Which managed policies are attached to whom (IAM API reference, "AttachRolePolicy" and those that follow from it)."""

from dataclasses import dataclass

from sqlalchemy import Boolean, bindparam, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import NoSuchEntity, PolicyNotAttachable, QuotaExceeded
from berth.identity.arns import Kind
from berth.identity.directory import held_policies, identities
from berth.identity.directory.aws_policies import SERVICE_LINKED
from berth.identity.directory.identities import Identity
from berth.schema import identities as everybody
from berth.schema import policy_attachments as table

# IAM user guide, "IAM and AWS STS quotas".
MOST_ATTACHED = 10

_ARNS = Question(select(table.c.policy_arn).where(table.c.identity_id == bindparam("id")).order_by(table.c.policy_arn))
_ATTACHED = (
    select(table.c.policy_arn)
    .where(table.c.identity_id == everybody.c.id, table.c.policy_arn == bindparam("arn"))
    .exists()
)
_HOLDERS = Question(
    select(everybody.c.kind, everybody.c.name, everybody.c.id, everybody.c.folded_name)
    .where(
        everybody.c.account == bindparam("account"),
        or_(
            bindparam("attached", type_=Boolean) & _ATTACHED,
            bindparam("bounding", type_=Boolean) & (everybody.c.boundary == bindparam("arn")),
        ),
        everybody.c.kind == func.coalesce(bindparam("kind", type_=everybody.c.kind.type), everybody.c.kind),
        func.starts_with(everybody.c.path, bindparam("prefix")),
        tuple_(everybody.c.kind, everybody.c.folded_name) > tuple_(bindparam("after_kind"), bindparam("after")),
    )
    .order_by(everybody.c.kind, everybody.c.folded_name)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a policy."""

    kind: Kind
    name: str
    id: str
    folded_name: str


async def attach(database: Database, account: str, kind: Kind, name: str, arn: str) -> None:
    """Attach the policy, which may be attached already.

    Raises InvalidInput, NoSuchEntity, PolicyNotAttachable, QuotaExceeded.
    """
    if held_policies.parse(arn)["path"].startswith(SERVICE_LINKED):
        raise PolicyNotAttachable(f"Cannot attach a Service Role Policy to a Customer {kind.capitalize()}.")
    async with database.transaction() as connection:
        identity = await identities.locked(connection, account, kind, name)
        await held_policies.hold(connection, account, arn)
        await _check_quota(connection, identity, arn)
        attaching = insert(table).values(identity_id=identity.id, policy_arn=arn)
        await connection.execute(attaching.on_conflict_do_nothing())
        await changes.tell_of(connection, changes.of_identity(identity.id))


async def _check_quota(connection: AsyncConnection, identity: Identity, arn: str) -> None:
    others = select(func.count()).where(table.c.identity_id == identity.id, table.c.policy_arn != arn)
    if (await connection.execute(others)).scalar_one() >= MOST_ATTACHED:
        raise QuotaExceeded(f"PoliciesPer{identity.kind.capitalize()}", MOST_ATTACHED)


async def detach(database: Database, account: str, kind: Kind, name: str, arn: str) -> None:
    """Raises InvalidInput, NoSuchEntity."""
    held_policies.parse(arn)
    async with database.transaction() as connection:
        identity = await identities.locked(connection, account, kind, name)
        gone = await connection.execute(
            delete(table).where(table.c.identity_id == identity.id, table.c.policy_arn == arn)
        )
        if not gone.rowcount:
            raise NoSuchEntity.policy(arn)
        await changes.tell_of(connection, changes.of_identity(identity.id))


async def all_of(database: Database, identity: Identity) -> list[str]:
    """The ARNs of the policies that are attached, in order."""
    return [row["policy_arn"] for row in await database.ask(_ARNS, id=identity.id)]


async def holders(
    database: Database,
    account: str,
    arn: str,
    *,
    kind: Kind | None = None,
    prefix: str = "/",
    attached: bool = True,
    bounding: bool = True,
    after: tuple[str, str] = ("", ""),
    limit: int,
) -> list[Holder]:
    """Whom of the account the policy is attached to, and whose boundary it is, by kind and folded name.

    `after` are those two of the last one that is known.
    """
    rows = await database.ask(
        _HOLDERS,
        account=account,
        arn=arn,
        kind=kind,
        prefix=prefix,
        attached=attached,
        bounding=bounding,
        after_kind=after[0],
        after=after[1],
        limit=limit,
    )
    return [Holder(*row.values()) for row in rows]
