"""Principals whose pulls do not count as pulls (ECR user guide, "Pull-time update exclusions")."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, select
from sqlalchemy.dialects.postgresql import insert

from berth import changes, registries
from berth.database.db import Database
from berth.errors import ExclusionAlreadyExists, ExclusionNotFound, LimitExceeded
from berth.identity.arns import IdentityArn, SessionArn
from berth.identity.principals import Principal
from berth.names import Registry
from berth.schema import pull_time_exclusions, repositories

# ECR user guide, "Pull-time update exclusions": up to 100 in a registry.
MAX_EXCLUSIONS = 100

_table = pull_time_exclusions.c


async def register(database: Database, registry: Registry, principal_arn: str) -> datetime:
    """Exclude the pulls of a role or user and return since when. Raises ExclusionAlreadyExists, LimitExceeded."""
    row = {"account": registry.account, "region": registry.region, "principal_arn": principal_arn}
    added = insert(pull_time_exclusions).values(row).on_conflict_do_nothing().returning(_table.created_at)
    async with database.transaction() as connection:
        # Whoever counts and adds does so alone, so that no two add the hundredth.
        await registries.hold(connection, registry)
        created_at = await connection.scalar(added)
        if created_at is None:
            raise ExclusionAlreadyExists(registry, principal_arn)
        number = await connection.scalar(select(func.count()).where(*_of(registry)))
        if number is not None and number > MAX_EXCLUSIONS:
            raise LimitExceeded(
                "The number of pull time update exclusions is over the limit. "
                f"The maximum number of pull time update exclusions in a registry is {MAX_EXCLUSIONS}."
            )
    moment: datetime = created_at
    return moment


async def deregister(database: Database, registry: Registry, principal_arn: str) -> None:
    """Let the pulls of the principal count again. Raises ExclusionNotFound."""
    gone = delete(pull_time_exclusions).where(*_of(registry), _table.principal_arn == principal_arn)
    async with database.transaction() as connection:
        if (await connection.execute(gone)).rowcount == 0:
            raise ExclusionNotFound(registry, principal_arn)
        await changes.tell_of(connection, changes.of_exclusions(registry))


async def page(database: Database, registry: Registry, *, after: str, limit: int) -> list[str]:
    """At most `limit` excluded ARNs that come after `after`, in the order of their bytes."""
    question = (
        select(_table.principal_arn)
        .where(*_of(registry), _table.principal_arn > after)
        .order_by(_table.principal_arn)
        .limit(limit)
    )
    async with database.reading() as connection:
        return [str(arn) for arn in await connection.scalars(question)]


async def is_excluded(database: Database, registry: Registry, principal: Principal) -> bool:
    """Whether the pulls of the principal do not count in the registry."""
    named = _names(principal)
    if named is None:
        return False
    async with database.reading() as connection:
        return bool(await connection.scalar(select(exists().where(*_of(registry), named))))


def excludes(principal: Principal, repository_id: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that pulls of the principal do not count in the registry of the repository."""
    named = _names(principal)
    if named is None:
        return false()
    in_registry = and_(_table.account == repositories.c.account, _table.region == repositories.c.region)
    return select(1).where(repositories.c.id == repository_id, in_registry, named).exists()


def _names(principal: Principal) -> ColumnElement[bool] | None:
    """The condition that an exclusion names the principal; None where none can.

    The session of a role pulls as the role. The ARN of a session does not tell the path of its role, but an account
    has only one role of a name. Others than roles and users cannot be excluded.
    """
    session = SessionArn.parse(principal.arn)
    if session:
        return and_(
            _table.principal_arn.startswith(session.roles, autoescape=True),
            _table.principal_arn.endswith("/" + session.role, autoescape=True),
        )
    named = IdentityArn.parse(principal.arn)
    return _table.principal_arn == principal.arn if named is not None and named.kind == "user" else None


def _of(registry: Registry) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _table.account == registry.account, _table.region == registry.region
