"""Managed policies by their ARNs, and held as they are while something is done with them."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.errors.iam import InvalidInput, NoSuchEntity
from berth.identity.directory import aws_policies, names
from berth.schema import policies

_ARN = re.compile(r"arn:aws:iam::(?P<account>[0-9]{12}|aws):policy(?P<path>/([!-~]+/)?)(?P<name>[\w+=,.@-]+)", re.ASCII)
# One of an account's own, by what its ARN says beside the account.
NAMED = (
    policies.c.folded_name == bindparam("folded"),
    policies.c.path == bindparam("path"),
    policies.c.name == bindparam("name"),
)


def parse(arn: str) -> Mapping[str, str]:
    """`account`, `path` and `name` of a policy's ARN. Raises InvalidInput."""
    matched = _ARN.fullmatch(arn)
    if matched is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    return {part: matched[part] for part in ("account", "path", "name")}


async def hold(connection: AsyncConnection, account: str, arn: str) -> None:
    """The policy stays until the transaction ends, for somebody gets it. Raises InvalidInput, NoSuchEntity."""
    if parse(arn)["account"] != aws_policies.AWS:
        await _locked(connection, account, arn, NoSuchEntity.attachable(arn), read=True)
    elif arn not in aws_policies.BY_ARN:
        raise NoSuchEntity.attachable(arn)


async def locked(connection: AsyncConnection, account: str, arn: str, *, going: bool = False) -> Row[Any]:
    """The row of the account's own policy, which nobody else changes until the transaction ends.

    Where it is going, nobody gets it meanwhile either. Raises InvalidInput, NoSuchEntity.
    """
    return await _locked(connection, account, arn, NoSuchEntity.policy(arn), going=going)


async def _locked(
    connection: AsyncConnection,
    account: str,
    arn: str,
    missing: NoSuchEntity,
    *,
    read: bool = False,
    going: bool = False,
) -> Row[Any]:
    named = parse(arn)
    finding = (
        select(policies).where(policies.c.account == account, *NAMED).with_for_update(read=read, key_share=not going)
    )
    given = {"folded": names.folded(named["name"]), "path": named["path"], "name": named["name"]}
    row = None if named["account"] != account else (await connection.execute(finding, given)).one_or_none()
    if row is None:
        raise missing
    return row
