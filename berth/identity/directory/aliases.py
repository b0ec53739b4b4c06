"""Another name of an account, one at most (IAM API reference, "CreateAccountAlias" and those that follow from it)."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import EntityAlreadyExists, NoSuchEntity
from berth.schema import accounts

_FIND = Question(select(accounts.c.alias).where(accounts.c.id == bindparam("account")))


async def of(database: Database, account: str) -> str | None:
    rows = await database.ask(_FIND, account=account)
    alias: str | None = rows[0]["alias"] if rows else None
    return alias


async def put(database: Database, account: str, alias: str) -> None:
    """Call the account so, and no more as before. Raises EntityAlreadyExists where another account is called so."""
    naming = update(accounts).where(accounts.c.id == account).values(alias=alias)
    try:
        async with database.transaction() as connection:
            await connection.execute(naming)
    except IntegrityError:
        raise EntityAlreadyExists(f"The account alias {alias} already exists.") from None


async def remove(database: Database, account: str, alias: str) -> None:
    """Raises NoSuchEntity where the account is not called so."""
    unnaming = update(accounts).where(accounts.c.id == account, accounts.c.alias == alias).values(alias=None)
    async with database.transaction() as connection:
        if not (await connection.execute(unnaming)).rowcount:
            raise NoSuchEntity.alias(alias)
