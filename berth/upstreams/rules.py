"""Pull through cache rules: which repositories of a registry are to cache those of an upstream registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from berth import registries
from berth.database.db import Database
from berth.errors import (
    InvalidInput,
    InvalidParameter,
    LimitExceeded,
    PullThroughCacheRuleAlreadyExists,
    PullThroughCacheRuleNotFound,
)
from berth.names import Registry
from berth.prefixes import ROOT, without_slash
from berth.schema import pull_through_cache_rules
from berth.upstreams import kinds
from berth.upstreams.kinds import Kind

# ECR user guide, "Amazon ECR service quotas": pull through cache rules per registry.
MAX_RULES = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `prefix` and `upstream_prefix` (None: ROOT) as they were written."""

    registry: Registry
    prefix: str
    kind: Kind
    url: str
    upstream_prefix: str | None
    credential: str | None
    role: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> str:
        """By which rules are found and put in order."""
        return without_slash(self.prefix)


@dataclass(frozen=True, slots=True)
class NewRule:
    """What the caller says of a rule; see `Rule`."""

    prefix: str
    url: str
    kind: str | None = None
    upstream_prefix: str | None = None
    credential: str | None = None
    role: str | None = None


_TABLE = pull_through_cache_rules.c


def _of(registry: Registry) -> Any:
    return (_TABLE.account == registry.account) & (_TABLE.region == registry.region)


def _named(registry: Registry, prefix: str) -> Any:
    return _of(registry) & (_TABLE.prefix == without_slash(prefix))


async def create(database: Database, registry: Registry, new: NewRule) -> Rule:
    """Raises what `kinds.check` raises, InvalidParameter, PullThroughCacheRuleAlreadyExists, LimitExceeded."""
    kind = kinds.check(registry, new.url, credential=new.credential, role=new.role)
    if new.kind not in (None, kind):
        raise InvalidParameter("upstreamRegistry", f"The registry at '{new.url}' is {kind}")
    if new.prefix == ROOT and new.upstream_prefix not in (None, ROOT):
        raise InvalidParameter("upstreamRepositoryPrefix", f"It can be set only when ecrRepositoryPrefix is not {ROOT}")
    row = {
        "account": registry.account,
        "region": registry.region,
        "prefix": without_slash(new.prefix),
        "written_prefix": new.prefix,
        "upstream_registry": kind,
        "upstream_url": new.url,
        "upstream_prefix": new.upstream_prefix,
        "credential_arn": new.credential,
        "custom_role_arn": new.role,
    }
    statement = insert(pull_through_cache_rules).values(row).on_conflict_do_nothing().returning(*_TABLE)
    count = select(func.count()).select_from(pull_through_cache_rules).where(_of(registry))
    async with database.transaction() as connection:
        await registries.hold(connection, registry)
        made = (await connection.execute(statement)).one_or_none()
        if made is None:
            raise PullThroughCacheRuleAlreadyExists(registry, new.prefix)
        if (await connection.scalar(count) or 0) > MAX_RULES:
            raise LimitExceeded(f"A registry can have at most {MAX_RULES} pull through cache rules")
    return _rule(made)


async def get(database: Database, registry: Registry, prefix: str) -> Rule:
    """Raises PullThroughCacheRuleNotFound."""
    async with database.reading() as connection:
        row = (await connection.execute(select(*_TABLE).where(_named(registry, prefix)))).one_or_none()
    if row is None:
        raise PullThroughCacheRuleNotFound(registry, prefix)
    return _rule(row)


async def get_all(database: Database, registry: Registry, prefixes: Sequence[str]) -> list[Rule]:
    """The rules of these prefixes, in the order of their bytes.

    Raises PullThroughCacheRuleNotFound for the first that is missing.
    """
    keys = {without_slash(prefix) for prefix in prefixes}
    question = select(*_TABLE).where(_of(registry), _TABLE.prefix.in_(keys)).order_by(_TABLE.prefix)
    async with database.reading() as connection:
        found = [_rule(row) for row in await connection.execute(question)]
    missing = keys - {rule.key for rule in found}
    for prefix in prefixes:
        if without_slash(prefix) in missing:
            raise PullThroughCacheRuleNotFound(registry, prefix)
    return found


async def page(database: Database, registry: Registry, *, after: str, limit: int) -> list[Rule]:
    """At most `limit` rules whose prefixes come after `after`, in the order of their bytes."""
    question = select(*_TABLE).where(_of(registry), _TABLE.prefix > after).order_by(_TABLE.prefix).limit(limit)
    async with database.reading() as connection:
        return [_rule(row) for row in await connection.execute(question)]


async def set_authentication(
    database: Database, registry: Registry, prefix: str, *, credential: str | None, role: str | None
) -> Rule:
    """What is None stays as it is. Raises PullThroughCacheRuleNotFound, and as `kinds.check_authentication` does.

    Raises InvalidInput where both are None.
    """
    if credential is None and role is None:
        raise InvalidInput("Invalid input: Please set either credential arn or role arn to update the credentials")
    given = {"credential_arn": credential, "custom_role_arn": role}
    values = {name: value for name, value in given.items() if value is not None}
    statement = update(pull_through_cache_rules).values(**values, updated_at=func.now()).returning(*_TABLE)
    async with database.transaction() as connection:
        row = (await connection.execute(statement.where(_named(registry, prefix)))).one_or_none()
        if row is None:
            raise PullThroughCacheRuleNotFound(registry, prefix)
        rule = _rule(row)
        kinds.check_authentication(registry, rule.kind, credential=credential, role=role)
    return rule


async def remove(database: Database, registry: Registry, prefix: str) -> Rule:
    """Raises PullThroughCacheRuleNotFound."""
    statement = delete(pull_through_cache_rules).where(_named(registry, prefix)).returning(*_TABLE)
    async with database.transaction() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise PullThroughCacheRuleNotFound(registry, prefix)
    return _rule(row)


def _rule(row: Row[*tuple[Any, ...]]) -> Rule:
    return Rule(
        registry=Registry(row.account, row.region),
        prefix=row.written_prefix,
        kind=Kind(row.upstream_registry),
        url=row.upstream_url,
        upstream_prefix=row.upstream_prefix,
        credential=row.credential_arn,
        role=row.custom_role_arn,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
