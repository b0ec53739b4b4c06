"""`berth migrate`: the database's tables brought up to date, and the root's access key made."""

import asyncio
import sys

import click

from berth import logs
from berth.cli.preparation import NotPrepared, prepare_root
from berth.cli.tables import migrate, pending_migrations
from berth.settings import Settings


def run(settings: Settings, *, check: bool) -> None:
    logs.configure(settings, "migrate")
    try:
        if check:
            _check(pending_migrations(settings))
        else:
            click.echo(f"tables: {', '.join(migrate(settings)) or 'up to date'}")
            click.echo(f"root access key: {asyncio.run(prepare_root(settings))}")
    except NotPrepared as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(1)


def _check(pending: tuple[str, ...]) -> None:
    if not pending:
        click.echo("up to date")
        return
    for step in pending:
        click.echo(f"pending: {step}")
    sys.exit(1)
