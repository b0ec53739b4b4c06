"""`berth store`: what is in the store is verified, or carried to another store, while Berth serves."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click
import orjson

from berth import logs, repositories, stored
from berth.cli.bar import showing_bytes
from berth.cli.preparation import NotPrepared, using
from berth.errors import RepositoryNotFound
from berth.settings import Settings
from berth.store.contract import Blob, StoreUnavailable
from berth.store.kinds import store_at, using_store
from berth.store.location import Location, parse_location
from berth.stored import Moved, Report

Result = TypeVar("Result")


def run_verify(settings: Settings, *, repository: str | None, as_json: bool, at_once: int) -> None:
    logs.configure(settings, "store verify")
    report = _or_exit(_verify(settings, repository, at_once))
    found = {"missing": report.missing, "wrong": report.wrong, "orphaned": report.orphaned}
    if as_json:
        lists = {name: [_told(blob) for blob in blobs] for name, blobs in found.items()}
        click.echo(orjson.dumps({"blobs": report.blobs, "bytes": report.bytes, **lists}).decode())
    else:
        click.echo(f"verified {report.blobs} blobs, {report.bytes:,} bytes")
        for name, blobs in found.items():
            for blob in blobs:
                click.echo(f"{name:<8}  {_name(blob)}")
        click.echo(_verdict(report))
    sys.exit(0 if report.is_well else 1)


def run_migrate(settings: Settings, source: str, target: str, *, at_once: int) -> None:
    logs.configure(settings, "store migrate")
    here, there = (_location_or_exit(text) for text in (source, target))
    if here == there:
        click.echo("berth: FROM and TO are the same", err=True)
        sys.exit(2)
    moved = _or_exit(_migrate(settings, here, there, at_once))
    click.echo(f"copied {moved.copied} blobs, {moved.bytes:,} bytes; {moved.present} are there")
    for blob in moved.missing:
        click.echo(f"missing   {_name(blob)}")
    for blob in moved.wrong:
        click.echo(f"wrong     {_name(blob)}")
    click.echo(_what_next(settings, moved, source, target))
    sys.exit(0 if moved.is_complete else 1)


async def _verify(settings: Settings, repository: str | None, at_once: int) -> Report:
    async with using(settings, at_once) as database, using_store(settings) as store:
        only = await repositories.get(database, settings.registry, repository) if repository else None
        extent = await stored.extent(database, only)
        with showing_bytes("verifying", extent.bytes) as seen:
            return await stored.verify(database, store, at_once, repository=only, seen=seen)


async def _migrate(settings: Settings, source: Location, target: Location, at_once: int) -> Moved:
    stores = store_at(source, settings), store_at(target, settings)
    try:
        async with using(settings, at_once) as database:
            extent = await stored.extent(database)
            await stores[1].check()
            with showing_bytes("copying", extent.bytes) as seen:
                return await stored.move(database, *stores, at_once, seen=seen)
    finally:
        for store in stores:
            await store.close()


def _verdict(report: Report) -> str:
    if not report.is_well:
        return (
            "What is missing or wrong is to be pushed again, or to be brought back from a backup: "
            "the blob's name in the store is blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…"
        )
    if report.orphaned:
        return "All is well; `berth collect --sweep` removes what is orphaned"
    return "all is well"


def _what_next(settings: Settings, moved: Moved, source: str, target: str) -> str:
    if moved.missing or moved.wrong:
        return "These could not be copied: push them again, or bring them back from a backup, and run this again"
    if settings.store_location != parse_location(target):
        return (
            f"All that there is now is copied. New pushes go to {settings.store_location}: "
            f"set BERTH_STORE={target} and BERTH_STORE_ALSO={source}, restart, and run this again"
        )
    if moved.uploads:
        return f"{moved.uploads} uploads that began in {source} are under way: run this again when they are done"
    return f"All is in {target}: BERTH_STORE_ALSO is no longer needed"


def _told(blob: Blob) -> dict[str, str]:
    return {"registryId": blob.registry.account, "region": blob.registry.region, "digest": blob.digest}


def _name(blob: Blob) -> str:
    return f"{blob.registry.account}/{blob.registry.region} {blob.digest}"


def _location_or_exit(text: str) -> Location:
    try:
        return parse_location(text)
    except ValueError as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(2)


def _or_exit(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except (NotPrepared, StoreUnavailable, RepositoryNotFound) as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(1)
