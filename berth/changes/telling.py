"""Telling what changed.

Whoever takes away or replaces what a process may remember calls `tell` in the transaction that does it: PostgreSQL
hands it to all that listen (berth/changes/ear.py) when the transaction commits. What only becomes new need not be told,
for only what was found is remembered, never that something was missing. But for referrers: their whole list is
remembered, the empty one too.
"""

from typing import Any, Protocol

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, cast, event, func, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import Pool

from berth.changes import ear
from berth.names import Registry

# A repository, an access key or the like, by its name here. No secret: whoever may connect may listen.
Subject = str

_TELL = text("SELECT pg_notify(:channel, subject) FROM unnest(:subjects) AS subject").bindparams(
    bindparam("channel", ear.CHANNEL, Text), bindparam("subjects", type_=ARRAY(Text))
)
_TOLD = "told"
_REFERRERS = "referrers"
# What never changes.
NEVER: Subject = "never"
# The keys that seal passwords and tokens.
KEYRING: Subject = "keyring"


class _Identified(Protocol):
    @property
    def id(self) -> int: ...


def of_repository(repository_id: int) -> Subject:
    """What a repository contains."""
    return f"repository {repository_id}"


def of_referrers(repository_id: int, subject: str) -> Subject:
    """Which images of the repository have the image of this digest as their subject."""
    return f"{_REFERRERS} {repository_id} {subject}"


def told_of_referrers(repository_id: ColumnElement[int], subject: ColumnElement[str]) -> ColumnElement[str]:
    """The same told by a statement that adds one; who asks it calls `heard` afterwards."""
    said = func.concat_ws(" ", _REFERRERS, repository_id, subject, type_=Text)
    return cast(func.pg_notify(ear.CHANNEL, said), Text)


def of_access(repository_id: int) -> Subject:
    """Who may do what with a repository: its policy and its tags, and that it is there."""
    return f"access {repository_id}"


def of_registry(registry: Registry) -> Subject:
    """Who may do what with all repositories of a registry: its policy, and what that is asked about."""
    return f"registry {registry.account}/{registry.region}"


def of_key(access_key_id: str) -> Subject:
    return f"key {access_key_id}"


def of_account(account: str) -> Subject:
    """What all in an account may do at most, and that it is open."""
    return f"account {account}"


def of_policy(arn: str) -> Subject:
    """What a managed policy says."""
    return f"policy {arn}"


def of_identity(identity_id: str) -> Subject:
    """What a user, a group or a role is called, has and may do, by its unique id."""
    return f"identity {identity_id}"


def of_exclusions(registry: Registry) -> Subject:
    """Whose pulls do not count."""
    return f"exclusions {registry.account}/{registry.region}"


async def tell(connection: AsyncConnection, repository: _Identified | int) -> None:
    """Tell that the repository lost something, or that a tag of it moved, if the transaction at hand commits."""
    await tell_of(connection, of_repository(repository if isinstance(repository, int) else repository.id))


async def tell_of(connection: AsyncConnection, *subjects: Subject) -> None:
    """Tell that these changed, if the transaction at hand commits.

    The processes of this machine know it when the connection is given back, so that whoever made a change sees it at
    once, whichever of them is asked.
    """
    connection.info.setdefault(_TOLD, []).extend(subjects)
    await connection.execute(_TELL, {"subjects": list(subjects)})


def heard(*subjects: Subject) -> None:
    """What a statement of this process told, which was asked outside of any transaction."""
    ear.hear(subjects)


@event.listens_for(Pool, "checkin")
def _hear(_connection: Any, record: Any) -> None:
    """What was told by a transaction that is over; one that failed told nothing new, and nothing wrong."""
    told = record.info.pop(_TOLD, None)
    if told:
        ear.hear(told)
