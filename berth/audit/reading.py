"""What is kept of the requests of the past days, read a page at a time: memory for one page, however many there are."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, cast, func, or_, select, tuple_

from berth.audit.askers import principal_of
from berth.database.db import Database
from berth.database.questions import Question
from berth.identity.policies.context import Circumstances
from berth.identity.policies.variables import Context
from berth.identity.principals import Principal
from berth.schema import audited_hours, audited_principals, audited_requests
from berth.schema.tables import Moment

PAGE = 500
_SINCE = bindparam("since", type_=Moment)
_ACCOUNT = bindparam("account", type_=Text())
_ARN = bindparam("arn", type_=Text())
_PLACE = (audited_requests.c.hour, audited_requests.c.account, audited_requests.c.id)
_PAGE = Question(
    select(
        audited_requests,
        audited_principals.c.arn,
        audited_principals.c.claims,
    )
    .join(audited_principals, audited_principals.c.id == audited_requests.c.principal_id)
    .where(
        audited_requests.c.hour >= _SINCE,
        tuple_(*_PLACE)
        > tuple_(
            bindparam("after_hour", type_=Moment),
            bindparam("after_account", type_=Text()),
            bindparam("after_id", type_=Text()),
        ),
        or_(_ACCOUNT.is_(None), audited_requests.c.account == _ACCOUNT),
        or_(
            _ARN.is_(None),
            audited_principals.c.arn == _ARN,
            audited_principals.c.identity_id == bindparam("identity_id", type_=Text()),
        ),
    )
    .order_by(*_PLACE)
    .limit(bindparam("limit", type_=BigInteger()))
)
_BEYOND = Question(
    select(
        cast(func.coalesce(func.sum(audited_hours.c.allowed_beyond + audited_hours.c.refused_beyond), 0), BigInteger)
        .label("requests")
    ).where(audited_hours.c.hour >= _SINCE, or_(_ACCOUNT.is_(None), audited_hours.c.account == _ACCOUNT))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """Requests that were alike, as they are kept.

    `principal` is None where a provider vouched for whoever asked, who has no policies of their own. `how` has the
    moment of the last of them. `through_policies`: they came through a VPC endpoint with policies. `is_cut`: some text
    that the decision may have looked at is not as it was.
    """

    principal_id: str
    arn: str
    principal: Principal | None
    action: str
    resource: str
    policies_of: str | None
    how: Circumstances
    more: Context
    allowed: bool
    requests: int
    last_at: datetime
    through_policies: bool
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Since when, by whom: of an account, or the principal with that ARN, sessions of the identity with that id too."""

    since: datetime
    account: str | None = None
    arn: str | None = None
    identity_id: str | None = None


async def read(database: Database, wanted: Wanted) -> AsyncIterator[list[Kept]]:
    """The pages, oldest hours first."""
    after: dict[str, object] = {"after_hour": wanted.since, "after_account": "", "after_id": ""}
    who = {"account": wanted.account, "arn": wanted.arn, "identity_id": wanted.identity_id}
    while True:
        rows = await database.ask(_PAGE, since=wanted.since, limit=PAGE, **who, **after)
        if rows:
            principals = {row["principal_id"]: row["claims"] for row in rows}
            known = {id_: principal_of(claims) for id_, claims in principals.items()}
            yield [_kept(row, known[row["principal_id"]]) for row in rows]
        if len(rows) < PAGE:
            return
        last = rows[-1]
        after = {"after_hour": last["hour"], "after_account": last["account"], "after_id": last["id"]}


async def beyond(database: Database, wanted: Wanted) -> int:
    """The requests that were only counted."""
    (row,) = await database.ask(_BEYOND, since=wanted.since, account=wanted.account)
    requests: int = row["requests"]
    return requests


def _kept(row: Mapping[str, Any], principal: Principal | None) -> Kept:
    said = row["context"]
    return Kept(
        principal_id=row["principal_id"],
        arn=row["arn"],
        principal=principal,
        action=row["action"],
        resource=row["resource"],
        policies_of=row["policies_of"],
        how=Circumstances(
            moment=row["last_at"],
            source_ip=said["ip"],
            secure=said["tls"],
            region=row["region"],
            user_agent=said.get("agent"),
            referer=said.get("referer"),
            vpc=said["vpc"],
            vpc_endpoint=said["vpce"],
        ),
        more={key: value if isinstance(value, str) else tuple(value) for key, value in said["more"].items()},
        allowed=row["allowed"],
        requests=row["requests"],
        last_at=row["last_at"],
        through_policies=said["endpoint"],
        is_cut=said["cut"],
    )
