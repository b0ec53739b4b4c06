"""Uploads that nobody finished."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ARRAY, Uuid, any_, delete, literal, select

from berth.database.db import Database
from berth.schema import uploads
from berth.store.contract import Store


async def expire(database: Database, store: Store, untouched_for: timedelta) -> int:
    """Remove the uploads that nobody touched for so long, and what the store holds of such; return their number."""
    before = datetime.now(UTC) - untouched_for
    statement = delete(uploads).where(uploads.c.touched_at < before).returning(uploads.c.id)
    async with database.transaction() as connection:
        expired = list((await connection.execute(statement)).scalars())
    for upload_id in expired:
        await store.abandon(upload_id)
    # Those of deleted repositories, and of processes that died between the bytes and the row.
    stale = await store.stale_uploads(untouched_for.total_seconds())
    async with database.reading() as connection:
        # As one array: a statement has at most 32,767 parameters, and there may be more that are stale.
        alive = {
            *await connection.scalars(select(uploads.c.id).where(uploads.c.id == any_(literal(stale, ARRAY(Uuid)))))
        }
    for upload_id in stale:
        if upload_id not in alive:
            await store.abandon(upload_id)
    return len(expired)
