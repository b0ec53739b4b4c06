"""What `berth account create`, `list`, `close` and `reopen` do."""

from collections.abc import Awaitable, Callable
from typing import Any

import click
import orjson

from berth.cli.env import print_exports
from berth.cli.holder import as_running
from berth.cli.preparation import done_or_exit, fail, using
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import accounts
from berth.identity.directory.accounts import Account, AccountTaken, AccountUnknown
from berth.names import NameInvalid
from berth.sealing import master_seal
from berth.settings import Settings

Change = Callable[[Database, str], Awaitable[None]]


def run_create(settings: Settings, account: str | None, name: str | None, *, for_eval: bool) -> None:
    try:
        made, key = done_or_exit(_create(settings, account, name))
    except NameInvalid as error:
        fail(str(error))
    except AccountTaken as taken:
        fail(f"there is an account {taken} already: see `berth account list`")
    if for_eval:
        print_exports(as_running(settings), key.id, key.secret)
        return
    click.echo(f"account            {made.id}" + ("" if made.name == made.id else f"  {made.name}"))
    click.echo(f"root access key    {key.id}")
    click.echo(f"secret access key  {key.secret}")
    click.echo(f'In a terminal that works in it: eval "$(berth env --account {made.id})"', err=True)


def run_list(settings: Settings, *, as_json: bool) -> None:
    found = done_or_exit(_listing(settings))
    if as_json:
        click.echo(orjson.dumps([_as_data(account) for account in found], option=orjson.OPT_INDENT_2))
        return
    for account in found:
        closed_at = account.closed_at
        state = "open" if closed_at is None else f"closed {closed_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{account.id}  since {account.created_at:%Y-%m-%d %H:%M} UTC  {state}  {account.name}")


def _as_data(account: Account) -> dict[str, Any]:
    """As AWS Organizations names them ("Account"); it suspends those that are closed."""
    return {
        "Id": account.id,
        "Name": account.name,
        "Status": "ACTIVE" if account.is_open else "SUSPENDED",
        "JoinedTimestamp": account.created_at.replace(microsecond=0),
    }


def run_close(settings: Settings, account: str) -> None:
    if account == as_running(settings).account_id:
        fail(f"account {account} is this Berth's own (--account-id), and cannot be closed")
    _change(settings, account, accounts.close)
    click.echo(f"account {account} is closed: nobody may do anything in it; `berth account reopen {account}` opens it")


def run_reopen(settings: Settings, account: str) -> None:
    _change(settings, account, accounts.reopen)
    click.echo(f"account {account} is open")


def _change(settings: Settings, account: str, change: Change) -> None:
    try:
        done_or_exit(_changed(settings, account, change))
    except AccountUnknown:
        fail(f"there is no account '{account}': see `berth account list`")


async def _create(settings: Settings, account: str | None, name: str | None) -> tuple[Account, AccessKey]:
    async with using(settings) as database:
        return await accounts.create(database, master_seal(settings), account, name)


async def _listing(settings: Settings) -> list[Account]:
    async with using(settings) as database:
        return await accounts.listing(database)


async def _changed(settings: Settings, account: str, change: Change) -> None:
    async with using(settings) as database:
        await change(database, account)
