"""When an access key or a role was used last, noted beside the requests and not at each of them."""

import asyncio
import time
from typing import Any

import structlog
from sqlalchemy import Column, ColumnElement, bindparam, func, or_, text, update

from berth.database.db import Database, DatabaseUnavailable
from berth.database.questions import Question
from berth.schema import access_keys, identities

log = structlog.get_logger()

# So fresh is what is known of a key or a role that is in use (IAM API reference, "AccessKeyLastUsed", "RoleLastUsed",
# promises no more).
SECONDS = 3600
# Keys and roles that are remembered to have been noted.
REMEMBERED = 10_000


def _is_old(moment: Column[Any]) -> ColumnElement[bool]:
    """Another process may have noted it."""
    return or_(moment.is_(None), moment < func.now() - text(f"interval '{SECONDS} seconds'"))


_KEY = Question(
    update(access_keys)
    .where(access_keys.c.id == bindparam("id"), _is_old(access_keys.c.last_used_at))
    .values(last_used_at=func.now(), last_used_region=bindparam("region"), last_used_service=bindparam("service"))
)
_ROLE = Question(
    update(identities)
    .where(identities.c.id == bindparam("id"), _is_old(identities.c.last_used_at))
    .values(last_used_at=func.now(), last_used_region=bindparam("region"))
)


class KeyUses:
    """Notes the uses of access keys and roles in the background; needs a running event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, access_key_id: str, region: str, service: str) -> None:
        """The key was used just now, in a request to the service in that region."""
        self._begin(_KEY, access_key_id, region=region, service=service)

    def note_role(self, role_id: str, region: str) -> None:
        """The role was assumed just now, or a session of it used, by a request in that region."""
        self._begin(_ROLE, role_id, region=region)

    async def noted(self) -> None:
        """Wait until what was noted so far is in the database, or lost."""
        await asyncio.gather(*self._noting)

    def _begin(self, noting: Question, one: str, **given: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(one, -SECONDS) < SECONDS:
            return
        if len(self._noted) >= REMEMBERED:
            self._noted.clear()
        self._noted[one] = now
        task = asyncio.create_task(self._note(noting, one, given))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, noting: Question, one: str, given: dict[str, str]) -> None:
        try:
            await self._database.ask(noting, id=one, **given)
        except (DatabaseUnavailable, TimeoutError) as error:
            self._noted.pop(one, None)
            log.debug("the use of an access key or a role was not noted", because=str(error))
