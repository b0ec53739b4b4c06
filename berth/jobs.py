"""Jobs for the worker, handed in with the transaction that makes them necessary (ADR 7)."""

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# The function by which procrastinate itself takes jobs in, since 3.0; its triggers wake a worker at the commit.
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW("
    "'default', CAST(:task AS varchar), 0, NULL, NULL, CAST(:arguments AS jsonb), NULL"
    ")::procrastinate_job_to_defer_v1])"
)


async def defer(connection: AsyncConnection, task: str, **arguments: object) -> None:
    """Have a worker do `task` with these arguments (any that JSON has), once this transaction is committed.

    It is done at least once: also again, where a worker dies before it has said that it is done.
    """
    await connection.execute(_DEFER, {"task": task, "arguments": orjson.dumps(arguments).decode()})
