"""How the keys of the key ring are rotated while every process serves, and nobody is logged out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, func, select

from berth import changes
from berth.changes.ear import Ear
from berth.database.db import Database, DatabaseUnavailable
from berth.identity.credentials import passwords
from berth.identity.credentials.passwords import KeyRing
from berth.schema import keyring
from berth.sealing import Seal
from berth.tasks import beside

log = structlog.get_logger()

# Registry passwords and the longest sessions hold for 12 hours, download addresses for less, and who comes back with a
# page token after a day begins anew. The hour is for processes that learned of the next key late.
OPENS_FOR = timedelta(hours=24 + 1)
# A process that cannot look now looks again after this.
_RETRY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Rotation:
    """What came of it: the key that seals from now on, those that are gone, and until when the others open."""

    newest: int
    dropped: tuple[int, ...]
    opening: dict[int, datetime]


async def rotate(database: Database, master: Seal) -> Rotation:
    """Make a new key, the one that seals on every process within a second; drop those of which nothing holds any more.

    A key seals until the next one is made. Raises SealBroken.
    """
    # A ring has at least one key, and one that this master key does not open must not get a newer one.
    await passwords.load_keyring(database, master)
    async with database.transaction() as connection:
        await passwords.hold(connection)
        newest = await passwords.make_key(connection, master)
        replaced_at = func.lead(keyring.c.created_at).over(order_by=keyring.c.id)
        rows = (await connection.execute(select(keyring.c.id, replaced_at, func.now()).order_by(keyring.c.id))).all()
        until = {key_id: replaced.astimezone(UTC) + OPENS_FOR for key_id, replaced, _ in rows if replaced is not None}
        dropped = tuple(key_id for key_id, _, now in rows if key_id in until and until[key_id] <= now)
        await connection.execute(delete(keyring).where(keyring.c.id.in_(dropped)))
        await changes.tell_of(connection, changes.KEYRING)
    return Rotation(newest, dropped, {key_id: end for key_id, end in until.items() if key_id not in dropped})


@contextlib.asynccontextmanager
async def following(ring: KeyRing, ear: Ear) -> AsyncIterator[None]:
    """Keep the ring as it is in the database, for as long as the context lasts."""
    changed = asyncio.Event()

    def note(subject: str | None) -> None:
        if subject in (None, changes.KEYRING):
            changed.set()

    ear.on_change(note)
    async with beside(_follow(ring, changed), "key ring"):
        yield


async def _follow(ring: KeyRing, changed: asyncio.Event) -> None:
    while True:
        await changed.wait()
        changed.clear()
        try:
            await ring.renew()
        except DatabaseUnavailable:
            changed.set()
        except Exception:
            log.exception("the keys of the key ring cannot be taken; those that were known before are used on")
        await asyncio.sleep(_RETRY_SECONDS)
