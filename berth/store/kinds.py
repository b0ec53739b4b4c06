"""Which store the settings name."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from berth.settings import Settings
from berth.store.contract import Store
from berth.store.filesystem import FilesystemStore
from berth.store.location import Location, parse_location
from berth.store.moving import MovingStore


def store_of(settings: Settings) -> Store:
    """The store that the settings name: of two, where it moves from one to the other."""
    store = store_at(settings.store_location, settings)
    if not settings.store_also:
        return store
    return MovingStore(store, store_at(parse_location(settings.store_also), settings))


@contextlib.asynccontextmanager
async def using_store(settings: Settings) -> AsyncIterator[Store]:
    """The same, closed at the end."""
    store = store_of(settings)
    try:
        yield store
    finally:
        await store.close()


def store_at(location: Location, settings: Settings) -> Store:
    """The store there; what the location leaves open is as the settings have it."""
    if isinstance(location, Path):
        return FilesystemStore(location)
    # It brings the HTTP client and botocore, which no other store needs.
    from berth.store.s3 import Access, S3Store

    keys = (None, None) if location.profile else (settings.s3_access_key_id, settings.s3_secret_access_key)
    is_elsewhere = location.endpoint is not None and location.endpoint != settings.s3_endpoint
    return S3Store(
        Access(
            location.bucket,
            location.prefix,
            location.region or settings.s3_region or settings.region,
            settings.s3_endpoint if location.endpoint is None else location.endpoint,
            "" if is_elsewhere else settings.s3_public_endpoint,
            *keys,
            location.profile,
            redirects=settings.s3_pulls == "redirect",
        )
    )
