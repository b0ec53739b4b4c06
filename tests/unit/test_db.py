"""What of the database's faults is a connection's, and passes."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from berth.database.db import is_disconnect


def told_by_sqlalchemy(error: Exception) -> DBAPIError:
    orig = RuntimeError("SQLAlchemy's own form of it")
    orig.__cause__ = error
    return DBAPIError("SELECT 1", {}, orig)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.CannotConnectNowError("the database system is shutting down"), True),
        (asyncpg.AdminShutdownError("terminating connection"), True),
        (ConnectionRefusedError(), True),
        (asyncpg.UniqueViolationError("duplicate key"), False),
        (ValueError(), False),
    ],
)
def test_whichever_library_tells_it(error: Exception, expected: bool) -> None:
    assert is_disconnect(error) is expected
    assert is_disconnect(told_by_sqlalchemy(error)) is expected
