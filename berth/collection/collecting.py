"""All that nobody needs goes: deleted images first, then what repositories hold without need, then the bytes."""

import time
from dataclasses import dataclass
from datetime import timedelta

from berth.collection import blobs, deletions, links
from berth.database.db import Database
from berth.settings import Settings
from berth.store.contract import Store


@dataclass(frozen=True, slots=True)
class Windows:
    """How long what nobody needs is kept: a deleted image, and a layer that no image of its repository needs."""

    images: timedelta
    layers: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Windows":
        return cls(settings.recovery_window, settings.layer_expiry)


@dataclass(slots=True)
class Collected:
    """What went: deleted images for good, layers out of repositories, blobs out of the store with so many bytes."""

    images: int = 0
    layers: int = 0
    blobs: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.images or self.layers or self.blobs)


async def collect(database: Database, store: Store, windows: Windows, *, at_most: float = float("inf")) -> Collected:
    """Collect until nothing is left to do, or for at most so many seconds; several may do it at once.

    In small transactions, each of which holds up only pushes of the same layers, for some milliseconds.
    Raises StoreUnavailable, DatabaseUnavailable: what was done until then stays done.
    """
    begun = time.monotonic()
    collected = Collected()

    def is_time() -> bool:
        return time.monotonic() - begun < at_most

    while is_time() and (forgotten := await deletions.forget_some(database, windows.images)):
        collected.images += forgotten
    link: links.Place | None = links.START
    while is_time() and link is not None:
        unlinked = await links.unlink_some(database, windows.layers, link)
        collected.layers += unlinked.unlinked
        link = unlinked.last
    blob: blobs.Place | None = blobs.START
    before = await blobs.now(database)
    while is_time() and blob is not None:
        removed = await blobs.remove_some(database, store, before, blob)
        collected.blobs += removed.removed
        collected.bytes += removed.bytes
        blob = removed.last
    collected.seconds = time.monotonic() - begun
    return collected
