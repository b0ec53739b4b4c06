"""The statements by which rows come into the audit log."""

import time
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, Boolean, Text, bindparam, text
from sqlalchemy.types import TypeEngine

from berth.audit.rows import AskerRow, RequestRow, hour_of
from berth.database.db import Asking
from berth.database.questions import Question
from berth.schema.tables import Moment

_TYPES: dict[str, TypeEngine[Any]] = {
    "allowed": Boolean(),
    "requests": BigInteger(),
    "first_at": Moment,
    "last_at": Moment,
}


def _arrays(row: type) -> list[BindParameter[Any]]:
    return [bindparam(field.name, type_=ARRAY(_TYPES.get(field.name, Text()))) for field in fields(row)]


# A principal is in use for as long as it was seen within the hour.
_PUT_ASKERS = Question(
    text(
        """
        INSERT INTO audited_principals AS kept (id, account, arn, identity_id, claims, last_at)
        SELECT id, account, arn, identity_id, CAST(claims AS jsonb), last_at
        FROM unnest(:id, :account, :arn, :identity_id, :claims, :last_at)
            AS new(id, account, arn, identity_id, claims, last_at)
        ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at
        WHERE kept.last_at < excluded.last_at - interval '1 hour'
        """
    ).bindparams(*_arrays(AskerRow))
)
_PART = (bindparam("hour", type_=Moment), bindparam("account", type_=Text()))
_HOLD_PART = Question(
    text(
        """
        INSERT INTO audited_hours AS kept (hour, account) VALUES (:hour, :account)
        ON CONFLICT (hour, account) DO UPDATE SET rows = kept.rows RETURNING rows
        """
    ).bindparams(*_PART)
)
_KNOWN = Question(
    text("SELECT id FROM audited_requests WHERE hour = :hour AND account = :account AND id = ANY(:ids)").bindparams(
        *_PART, bindparam("ids", type_=ARRAY(Text()))
    )
)
_PUT_REQUESTS = Question(
    text(
        """
        INSERT INTO audited_requests AS kept (
            hour, account, id, region, principal_id, action, resource, policies_of, context, allowed, reason,
            requests, first_at, last_at
        )
        SELECT :hour, :account, id, region, principal_id, action, resource, policies_of, CAST(context AS jsonb),
            allowed, reason, requests, first_at, last_at
        FROM unnest(
            :id, :region, :principal_id, :action, :resource, :policies_of, :context, :allowed, :reason,
            :requests, :first_at, :last_at
        ) AS new(
            id, region, principal_id, action, resource, policies_of, context, allowed, reason,
            requests, first_at, last_at
        )
        ON CONFLICT (hour, account, id) DO UPDATE SET
            requests = kept.requests + excluded.requests,
            first_at = least(kept.first_at, excluded.first_at),
            last_at = greatest(kept.last_at, excluded.last_at)
        """
    ).bindparams(*_PART, *_arrays(RequestRow))
)
_NUMBERS = ("rows", "allowed", "refused")
_COUNT_PART = Question(
    text(
        """
        UPDATE audited_hours SET rows = rows + :rows, allowed_beyond = allowed_beyond + :allowed,
            refused_beyond = refused_beyond + :refused
        WHERE hour = :hour AND account = :account
        """
    ).bindparams(*_PART, *(bindparam(name, type_=BigInteger()) for name in _NUMBERS))
)


def this_hour() -> datetime:
    return hour_of(time.time())


async def put_askers(ask: Asking, rows: Sequence[AskerRow]) -> None:
    if rows:
        await ask(_PUT_ASKERS, **_columns(AskerRow, rows))


async def hold_part(ask: Asking, hour: datetime, account: str) -> int:
    """How many rows the account has of the hour, which nobody else changes until the transaction ends."""
    (row,) = await ask(_HOLD_PART, hour=hour, account=account)
    rows: int = row["rows"]
    return rows


async def known(ask: Asking, hour: datetime, account: str, ids: Sequence[str]) -> set[str]:
    """Those of the rows that are there already."""
    return {row["id"] for row in await ask(_KNOWN, hour=hour, account=account, ids=list(ids))} if ids else set()


async def put_requests(ask: Asking, hour: datetime, account: str, rows: Sequence[RequestRow]) -> None:
    if rows:
        await ask(_PUT_REQUESTS, hour=hour, account=account, **_columns(RequestRow, rows))


async def count_part(ask: Asking, hour: datetime, account: str, new: int, allowed: int, refused: int) -> None:
    if new or allowed or refused:
        await ask(_COUNT_PART, hour=hour, account=account, rows=new, allowed=allowed, refused=refused)


def _columns(kind: type, rows: Sequence[AskerRow] | Sequence[RequestRow]) -> dict[str, object]:
    return {field.name: list(map(attrgetter(field.name), rows)) for field in fields(kind)}
