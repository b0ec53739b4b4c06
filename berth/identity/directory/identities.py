"""What users, groups and roles have in common: how one is made, found, listed, changed and taken away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from berth.identity.arns import Kind
from berth.identity.directory import held_policies, ids, mentions, names, quotas, tags
from berth.schema import (
    access_keys,
    group_members,
    identities,
    inline_policies,
    mfa_devices,
    policy_attachments,
)

# IAM user guide, "IAM and AWS STS quotas": of an account's users, and the defaults of its groups and roles.
QUOTAS: dict[Kind, tuple[str, int]] = {
    "user": ("UsersPerAccount", 5000),
    "group": ("GroupsPerAccount", 300),
    "role": ("RolesPerAccount", 1000),
}
PREFIXES: dict[Kind, str] = {"user": ids.USER, "group": ids.GROUP, "role": ids.ROLE}
_KEY = ("account", "kind", "folded_name")


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, a group or a role."""

    id: str
    account: str
    kind: Kind
    path: str
    name: str
    created_at: datetime
    tags: Mapping[str, str] = field(hash=False)
    # The ARN of a managed policy.
    boundary: str | None
    # Of a role alone: the document, a text, how long a session of it may last, and its last use.
    trust_policy: str | None
    description: str | None
    max_session_seconds: int | None
    last_used_at: datetime | None
    last_used_region: str | None

    @property
    def arn(self) -> str:
        return names.arn(self.account, self.kind, self.path, self.name)


COLUMNS = tuple(identities.c[name] for name in Identity.__dataclass_fields__)
_NAMED = select(*COLUMNS).where(
    identities.c.account == bindparam("account"),
    identities.c.kind == bindparam("kind"),
    identities.c.folded_name == bindparam("folded"),
)
_FIND = Question(_NAMED)
_BY_ID = Question(select(*COLUMNS).where(identities.c.id == bindparam("id")))
_PAGE = Question(
    select(*COLUMNS)
    .where(
        identities.c.account == bindparam("account"),
        identities.c.kind == bindparam("kind"),
        identities.c.folded_name > bindparam("after"),
        func.starts_with(identities.c.path, bindparam("prefix")),
    )
    .order_by(identities.c.folded_name)
    .limit(bindparam("limit"))
)
_ID: BindParameter[str] = bindparam("id")
# What may hang on an identity, in IAM's words of what has to be done about it first.
_HANGING_BY_WORDS = {
    "delete access keys": access_keys.c.user_id == _ID,
    "delete MFA device": mfa_devices.c.user_id == _ID,
    "remove users from group": or_(group_members.c.group_id == _ID, group_members.c.user_id == _ID),
    "detach all policies": policy_attachments.c.identity_id == _ID,
    "delete policies": inline_policies.c.identity_id == _ID,
}
_FIRST = tuple(_HANGING_BY_WORDS)
_HANGING = select(*(exists().where(condition) for condition in _HANGING_BY_WORDS.values()))


async def get(database: Database, account: str, kind: Kind, name: str) -> Identity:
    """Raises NoSuchEntity."""
    rows = await database.ask(_FIND, account=account, kind=kind, folded=names.folded(name))
    if not rows:
        raise NoSuchEntity.named(kind, name)
    return Identity(**rows[0])


async def get_by_id(database: Database, identity_id: str) -> Identity | None:
    rows = await database.ask(_BY_ID, id=identity_id)
    return Identity(**rows[0]) if rows else None


async def page(
    database: Database, account: str, kind: Kind, *, prefix: str = "/", after: str = "", limit: int
) -> list[Identity]:
    """Those whose path begins with `prefix`, by their folded names, the first after the folded name `after`."""
    rows = await database.ask(_PAGE, account=account, kind=kind, prefix=prefix, after=after, limit=limit)
    return [Identity(**row) for row in rows]


async def locked(connection: AsyncConnection, account: str, kind: Kind, name: str) -> Identity:
    """The identity, which stays as it is and keeps what it has until the transaction ends. Raises NoSuchEntity."""
    given = {"account": account, "kind": kind, "folded": names.folded(name)}
    row = (await connection.execute(_NAMED.with_for_update(), given)).one_or_none()
    if row is None:
        raise NoSuchEntity.named(kind, name)
    return of_row(row)


def of_row(row: Row[Any]) -> Identity:
    """The identity in a row of COLUMNS."""
    return Identity(**row._mapping)


async def create(
    database: Database, account: str, kind: Kind, path: str, name: str, *, boundary: str | None = None, **more: object
) -> Identity:
    """`more` are further columns.

    Raises EntityAlreadyExists, QuotaExceeded, ValidationError; of the boundary InvalidInput, NoSuchEntity.
    """
    names.check_path(path)
    names.check_name(name, f"{kind}Name")
    row = {
        "id": ids.new(PREFIXES[kind]),
        "account": account,
        "kind": kind,
        "path": path,
        "name": name,
        "folded_name": names.folded(name),
        "boundary": boundary,
        **more,
    }
    making = insert(identities).values(row).on_conflict_do_nothing(index_elements=_KEY).returning(*COLUMNS)
    async with database.transaction() as connection:
        mine = and_(identities.c.account == account, identities.c.kind == kind)
        await quotas.hold(connection, account, mine, *QUOTAS[kind])
        if boundary is not None:
            await held_policies.hold(connection, account, boundary)
        made = (await connection.execute(making)).one_or_none()
    if made is None:
        raise EntityAlreadyExists.named(kind, name)
    return of_row(made)


async def rename(
    connection: AsyncConnection, identity: Identity, new_path: str | None, new_name: str | None
) -> Identity:
    """The locked identity under another path, name or both. Raises EntityAlreadyExists, ValidationError."""
    path, name = identity.path if new_path is None else new_path, new_name or identity.name
    names.check_path(path, "newPath")
    names.check_name(name, f"new{identity.kind.capitalize()}Name")
    renaming = update(identities).where(identities.c.id == identity.id)
    try:
        row = await connection.execute(
            renaming.values(path=path, name=name, folded_name=names.folded(name)).returning(*COLUMNS)
        )
    except IntegrityError:
        raise EntityAlreadyExists.named(identity.kind, name) from None
    renamed = of_row(row.one())
    await _mention(connection, identity, renamed.arn)
    await changes.tell_of(connection, changes.of_identity(identity.id))
    return renamed


async def add_tags(database: Database, account: str, kind: Kind, name: str, added: Mapping[str, str]) -> None:
    """Raises NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        identity = await locked(connection, account, kind, name)
        await _set_tags(connection, identity, tags.merge(identity.tags, added, f"TagsPer{kind.capitalize()}"))


async def remove_tags(database: Database, account: str, kind: Kind, name: str, keys: Iterable[str]) -> None:
    """Take off the tags of these keys, those that there are. Raises NoSuchEntity."""
    async with database.transaction() as connection:
        identity = await locked(connection, account, kind, name)
        await _set_tags(connection, identity, tags.without(identity.tags, keys))


async def _set_tags(connection: AsyncConnection, identity: Identity, after: Mapping[str, str]) -> None:
    await connection.execute(update(identities).where(identities.c.id == identity.id).values(tags=after))
    await changes.tell_of(connection, changes.of_identity(identity.id))


async def remove(connection: AsyncConnection, identity: Identity) -> None:
    """Take the locked identity away. Raises DeleteConflict while anything hangs on it."""
    hanging = (await connection.execute(_HANGING, {"id": identity.id})).one()
    for first, hangs in zip(_FIRST, hanging, strict=True):
        if hangs:
            raise DeleteConflict(first)
    await connection.execute(delete(identities).where(identities.c.id == identity.id))
    await _mention(connection, identity, identity.id)
    await changes.tell_of(connection, changes.of_identity(identity.id))


async def _mention(connection: AsyncConnection, identity: Identity, new: str) -> None:
    """Let `new` stand for the user or role wherever it is trusted; groups are not."""
    if identity.kind != "group":
        await mentions.replace(connection, identity.arn, new)
