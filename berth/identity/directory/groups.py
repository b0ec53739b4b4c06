"""Groups of users, which share the policies of the group (IAM user guide, "IAM user groups")."""

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import QuotaExceeded
from berth.identity.directory import identities
from berth.identity.directory.identities import COLUMNS, Identity
from berth.schema import group_members
from berth.schema import identities as table

# IAM user guide, "IAM and AWS STS quotas".
MOST_GROUPS = 10

_MEMBERS = Question(
    select(*COLUMNS)
    .join(group_members, group_members.c.user_id == table.c.id)
    .where(group_members.c.group_id == bindparam("id"), table.c.folded_name > bindparam("after"))
    .order_by(table.c.folded_name)
    .limit(bindparam("limit"))
)
_GROUPS = Question(
    select(*COLUMNS)
    .join(group_members, group_members.c.group_id == table.c.id)
    .where(group_members.c.user_id == bindparam("id"), table.c.folded_name > bindparam("after"))
    .order_by(table.c.folded_name)
    .limit(bindparam("limit"))
)


async def create(database: Database, account: str, path: str, name: str) -> Identity:
    """Raises EntityAlreadyExists, QuotaExceeded, ValidationError."""
    return await identities.create(database, account, "group", path, name)


async def update(database: Database, account: str, name: str, new_path: str | None, new_name: str | None) -> Identity:
    """Raises NoSuchEntity, EntityAlreadyExists, ValidationError."""
    async with database.transaction() as connection:
        group = await identities.locked(connection, account, "group", name)
        return await identities.rename(connection, group, new_path, new_name)


async def delete_group(database: Database, account: str, name: str) -> None:
    """Raises NoSuchEntity, DeleteConflict."""
    async with database.transaction() as connection:
        await identities.remove(connection, await identities.locked(connection, account, "group", name))


async def members(database: Database, group: Identity, *, after: str = "", limit: int) -> list[Identity]:
    """The users in the group by their folded names, the first after the folded name `after`."""
    rows = await database.ask(_MEMBERS, id=group.id, after=after, limit=limit)
    return [Identity(**row) for row in rows]


async def groups_of(database: Database, user: Identity, *, after: str = "", limit: int) -> list[Identity]:
    """The groups that the user is in, in the same order."""
    rows = await database.ask(_GROUPS, id=user.id, after=after, limit=limit)
    return [Identity(**row) for row in rows]


async def add(database: Database, account: str, group_name: str, user_name: str) -> None:
    """Put the user into the group, where it may be already. Raises NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", user_name)
        group = await identities.locked(connection, account, "group", group_name)
        in_others = select(func.count()).where(group_members.c.user_id == user.id, group_members.c.group_id != group.id)
        if (await connection.execute(in_others)).scalar_one() >= MOST_GROUPS:
            raise QuotaExceeded("GroupsPerUser", MOST_GROUPS)
        putting = insert(group_members).values(group_id=group.id, user_id=user.id)
        await connection.execute(putting.on_conflict_do_nothing())
        await changes.tell_of(connection, changes.of_identity(user.id))


async def remove(database: Database, account: str, group_name: str, user_name: str) -> None:
    """Take the user out of the group, where it may not be. Raises NoSuchEntity."""
    async with database.transaction() as connection:
        user = await identities.locked(connection, account, "user", user_name)
        group = await identities.locked(connection, account, "group", group_name)
        taking = delete(group_members).where(group_members.c.group_id == group.id, group_members.c.user_id == user.id)
        await connection.execute(taking)
        await changes.tell_of(connection, changes.of_identity(user.id))
