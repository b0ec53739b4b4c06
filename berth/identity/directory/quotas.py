"""How much an account may have of each kind (IAM user guide, "IAM and AWS STS quotas")."""

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.errors.iam import QuotaExceeded
from berth.schema import accounts


async def hold(connection: AsyncConnection, account: str, counted: ColumnElement[bool], quota: str, most: int) -> None:
    """Nobody else makes anything in the account until the transaction ends.

    Raises QuotaExceeded where there are `most` rows of what is `counted`.
    """
    await connection.execute(select(literal(1)).where(accounts.c.id == account).with_for_update(key_share=True))
    if (await connection.execute(select(func.count()).where(counted))).scalar_one() >= most:
        raise QuotaExceeded(quota, most)
