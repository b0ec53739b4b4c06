"""What a process of Berth works with, opened at its start and closed at its end."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from berth.audit import AuditLog
from berth.audit.keeping import keeping
from berth.changes.ear import Ear
from berth.database.db import Database
from berth.identity.authorize import Authority
from berth.identity.credentials.key_rotation import following
from berth.identity.credentials.passwords import KeyRing, load_keyring
from berth.registries.addresses import Addresses
from berth.sealing import Seal, master_seal
from berth.settings import Settings
from berth.store.contract import Store
from berth.store.kinds import using_store
from berth.throttling.buckets import Throttle
from berth.throttling.cells import Cells
from berth.throttling.rates import rates
from berth.throttling.sharing import sharing


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings of a process and what they lead to. It holds no state that another process would miss."""

    settings: Settings
    database: Database
    ear: Ear
    authority: Authority
    store: Store
    master: Seal
    keyring: KeyRing
    addresses: Addresses
    throttle: Throttle
    audit: AuditLog


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """Raises DatabaseUnavailable, and SealBroken where the keys in the database are sealed by another master key."""
    if settings.database_url is None:
        raise ValueError("a process of Berth needs BERTH_DATABASE_URL")
    master = master_seal(settings)
    url = settings.database_url.get_secret_value()
    database, ear = Database(url), Ear(url, settings.data)
    authority, throttle = Authority(database, ear), throttle_of(settings)
    audit = AuditLog(is_on=settings.audit_days > 0)
    try:
        keyring = await load_keyring(database, master)
        async with (
            using_store(settings) as store,
            following(keyring, ear),
            ear.listening(),
            sharing(throttle, database),
            keeping(audit, database),
        ):
            addresses = Addresses(settings)
            yield Opened(settings, database, ear, authority, store, master, keyring, addresses, throttle, audit)
    finally:
        throttle.close()
        await database.close()


def throttle_of(settings: Settings) -> Throttle:
    """Who may ask how much, shared with the processes that use the same data folder."""
    if settings.throttling == "off":
        return Throttle({}, Cells())
    return Throttle(rates(settings.throttling_rates, settings.throttling_factor), Cells(settings.data))
