"""`berth collect`: what nobody needs any more goes now."""

import asyncio
import sys

import click

from berth import collection, logs
from berth.cli.preparation import NotPrepared, using
from berth.collection import Collected, Windows
from berth.settings import Settings
from berth.store.contract import StoreUnavailable
from berth.store.kinds import using_store


def run(settings: Settings, *, sweep: bool) -> None:
    logs.configure(settings, "collect")
    try:
        found, collected = asyncio.run(_collect(settings, sweep=sweep))
    except (NotPrepared, StoreUnavailable) as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(1)
    if sweep:
        click.echo(f"blobs that the database did not know of: {found}")
    click.echo(f"deleted images gone for good: {collected.images}")
    click.echo(f"layers that no image needed:  {collected.layers}")
    click.echo(f"blobs removed from the store: {collected.blobs}, {collected.bytes:,} bytes")
    click.echo(f"in {collected.seconds:.1f} s")


async def _collect(settings: Settings, *, sweep: bool) -> tuple[int, Collected]:
    async with using(settings) as database, using_store(settings) as store:
        found = await collection.sweep(database, store) if sweep else 0
        return found, await collection.collect(database, store, Windows.of(settings))
