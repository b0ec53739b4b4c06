"""Managed policies: an account's own and, read-only, AWS's (IAM user guide, "Managed policies and inline policies").

How an own one is made and goes is in customer_policies.py, what it says and said before in policy_versions.py;
AWS's documents are in aws_policies.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    Text,
    bindparam,
    column,
    func,
    or_,
    select,
)

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import NoSuchEntity
from berth.identity.directory import aws_policies, held_policies, names
from berth.schema import identities, policies, policy_attachments

# IAM user guide, "IAM and AWS STS quotas".
MOST_POLICIES = 1500


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """`account` is `aws` for one of AWS's; the last two count whom it is attached to and whose boundary it is."""

    id: str
    account: str
    path: str
    name: str
    description: str | None
    default_version: int
    created_at: datetime
    updated_at: datetime
    tags: Mapping[str, str] = field(hash=False)
    attachments: int
    boundaries: int

    @property
    def arn(self) -> str:
        return names.arn(self.account, "policy", self.path, self.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which policies are listed: those beneath a path, attached to somebody, somebody's boundary."""

    prefix: str = names.ROOT
    attached: bool = False
    bounding: bool = False

    def has(self, policy: ManagedPolicy) -> bool:
        return (
            policy.path.startswith(self.prefix)
            and (not self.attached or policy.attachments > 0)
            and (not self.bounding or policy.boundaries > 0)
        )


_ACCOUNT: BindParameter[str] = bindparam("account")
_ITS_ARN = func.concat("arn:aws:iam::", policies.c.account, ":policy", policies.c.path, policies.c.name)
OWN_COLUMNS = tuple(policies.c[name] for name in ManagedPolicy.__dataclass_fields__ if name in policies.c)


def _numbers(arn: Any) -> tuple[Any, Any]:
    """To how many of the account it is attached, and of how many it is the boundary."""
    attached = (
        select(func.count())
        .select_from(policy_attachments.join(identities, identities.c.id == policy_attachments.c.identity_id))
        .where(policy_attachments.c.policy_arn == arn, identities.c.account == _ACCOUNT)
    )
    bounded = select(func.count()).where(identities.c.boundary == arn, identities.c.account == _ACCOUNT)
    return attached.scalar_subquery().label("attachments"), bounded.scalar_subquery().label("boundaries")


_OWN = select(*OWN_COLUMNS, *_numbers(_ITS_ARN)).where(policies.c.account == _ACCOUNT)
_FIND = Question(_OWN.where(*held_policies.NAMED))
_LISTED = _OWN.where(
    policies.c.folded_name > bindparam("after"), func.starts_with(policies.c.path, bindparam("prefix"))
).subquery()
_PAGE = Question(
    select(_LISTED)
    .where(
        or_(~bindparam("attached", type_=Boolean), _LISTED.c.attachments > 0),
        or_(~bindparam("bounding", type_=Boolean), _LISTED.c.boundaries > 0),
    )
    .order_by(func.lower(_LISTED.c.name))
    .limit(bindparam("limit"))
)
_EACH = (
    func.unnest(bindparam("arns", type_=ARRAY(Text))).table_valued(column("arn", Text), name="each").render_derived()
)
_USES_OF_AWS = Question(select(_EACH.c.arn, *_numbers(_EACH.c.arn)))


async def get(database: Database, account: str, arn: str) -> ManagedPolicy:
    """Raises InvalidInput, NoSuchEntity."""
    named = held_policies.parse(arn)
    if named["account"] == aws_policies.AWS:
        found = await _of_aws(database, account, [arn] if arn in aws_policies.BY_ARN else [])
    elif named["account"] == account:
        rows = await database.ask(_FIND, folded=names.folded(named["name"]), **named)
        found = [ManagedPolicy(**row) for row in rows]
    else:
        found = []
    if not found:
        raise NoSuchEntity.policy(arn)
    return found[0]


async def page(database: Database, account: str, wanted: Wanted, *, after: str = "", limit: int) -> list[ManagedPolicy]:
    """The account's own by their folded names, the first after the folded name `after`."""
    rows = await database.ask(
        _PAGE,
        account=account,
        after=after,
        prefix=wanted.prefix,
        attached=wanted.attached,
        bounding=wanted.bounding,
        limit=limit,
    )
    return [ManagedPolicy(**row) for row in rows]


async def page_of_aws(
    database: Database, account: str, wanted: Wanted, *, after: str = "", limit: int
) -> list[ManagedPolicy]:
    """AWS's by their ARNs, as the account uses them, the first after the ARN `after`."""
    found = await _of_aws(database, account, sorted(arn for arn in aws_policies.BY_ARN if arn > after))
    return [policy for policy in found if wanted.has(policy)][:limit]


async def _of_aws(database: Database, account: str, arns: list[str]) -> list[ManagedPolicy]:
    rows = await database.ask(_USES_OF_AWS, account=account, arns=arns) if arns else []
    uses = {row["arn"]: (row["attachments"], row["boundaries"]) for row in rows}
    found = [(aws_policies.BY_ARN[arn], uses[arn]) for arn in arns]
    return [
        ManagedPolicy(
            policy.id,
            aws_policies.AWS,
            policy.path,
            policy.name,
            policy.description,
            policy.version,
            policy.created_at,
            policy.updated_at,
            {},
            *numbers,
        )
        for policy, numbers in found
    ]
