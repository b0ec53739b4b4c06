"""Which revision of the tables a database is at, and which this Berth needs; cheap enough to ask again and again."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from berth.database.db import Database

FOLDER = Path(__file__).resolve().parent.parent.parent / "migrations"


def needed() -> str:
    """The newest of the numbered files in `migrations/versions`."""
    return max(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


async def applied(database: Database) -> str | None:
    """The revision that the database is at; None when it was never migrated. Raises DatabaseUnavailable."""
    try:
        async with database.reading() as connection:
            return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    except ProgrammingError:
        return None
