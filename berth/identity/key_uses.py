"""When an access key was used last, noted beside the requests and not at each of them."""

import asyncio
import time

import structlog
from sqlalchemy import bindparam, func, or_, text, update

from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question
from berth.schema import access_keys

log = structlog.get_logger()

# So fresh is what is known of a key that is in use (IAM API reference, "AccessKeyLastUsed", promises no more).
SECONDS = 3600
# Keys that are remembered to have been noted.
REMEMBERED = 10_000

_NOTE = Question(
    update(access_keys)
    .where(
        access_keys.c.id == bindparam("id"),
        # Another process may have noted it.
        or_(
            access_keys.c.last_used_at.is_(None),
            access_keys.c.last_used_at < func.now() - text(f"interval '{SECONDS} seconds'"),
        ),
    )
    .values(last_used_at=func.now(), last_used_region=bindparam("region"), last_used_service=bindparam("service"))
)


class KeyUses:
    """Notes the uses of access keys in the background; needs a running event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, access_key_id: str, region: str, service: str) -> None:
        """The key was used just now, in a request to the service in that region."""
        now = time.monotonic()
        if now - self._noted.get(access_key_id, -SECONDS) < SECONDS:
            return
        if len(self._noted) >= REMEMBERED:
            self._noted.clear()
        self._noted[access_key_id] = now
        task = asyncio.create_task(self._note(access_key_id, region, service))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def noted(self) -> None:
        """Wait until what was noted so far is in the database, or lost."""
        await asyncio.gather(*self._noting)

    async def _note(self, access_key_id: str, region: str, service: str) -> None:
        try:
            await self._database.ask(_NOTE, id=access_key_id, region=region, service=service)
        except (DatabaseUnavailable, TimeoutError) as error:
            self._noted.pop(access_key_id, None)
            log.debug("the use of an access key was not noted", because=str(error))
