"""Permissions boundaries: managed policies that limit a user or a role (IAM user guide, "Permissions boundaries")."""

from sqlalchemy import update

from berth import changes
from berth.database.db import Database
from berth.errors.iam import PolicyNotAttachable
from berth.identity.arns import Kind
from berth.identity.directory import held_policies, identities
from berth.identity.directory.aws_policies import SERVICE_LINKED
from berth.schema import identities as table


async def put(database: Database, account: str, kind: Kind, name: str, arn: str) -> None:
    """Let the policy be the boundary of the user or role. Raises InvalidInput, NoSuchEntity, PolicyNotAttachable."""
    if held_policies.parse(arn)["path"].startswith(SERVICE_LINKED):
        raise PolicyNotAttachable(f"Cannot use a Service Role Policy as the boundary of a {kind}.")
    await _set(database, account, kind, name, arn)


async def remove(database: Database, account: str, kind: Kind, name: str) -> None:
    """Let nothing limit the user or role, which may be so already. Raises NoSuchEntity."""
    await _set(database, account, kind, name, None)


async def _set(database: Database, account: str, kind: Kind, name: str, arn: str | None) -> None:
    async with database.transaction() as connection:
        identity = await identities.locked(connection, account, kind, name)
        if arn is not None:
            await held_policies.hold(connection, account, arn)
        await connection.execute(update(table).where(table.c.id == identity.id).values(boundary=arn))
        await changes.tell_of(connection, changes.of_identity(identity.id))
