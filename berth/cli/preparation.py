"""The database that the settings name, and the access key of the account's root in it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from berth import logs
from berth.database.db import Database, DatabaseUnavailable
from berth.embedded import Cluster, ClusterBroken
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import accounts
from berth.identity.directory.accounts import AccountUnknown
from berth.sealing import SealBroken, master_seal
from berth.settings import Settings

Result = TypeVar("Result")


class NotPrepared(Exception):
    """The database cannot be used as it is; the text says why and what to do."""


def done_or_exit(work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of the work; the program ends with 1 where the database cannot be used."""
    try:
        return asyncio.run(work)
    except NotPrepared as error:
        fail(str(error))


def text_of(file: Path, most: int) -> str:
    """At most so many characters of the file; the program ends with 1 where it cannot be read."""
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(most)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def fail(words: str) -> NoReturn:
    """Say what is wrong, and end the program with 1."""
    click.echo(f"berth: {words}", err=True)
    sys.exit(1)


def database_url(settings: Settings) -> str:
    """The address of the database, the embedded one's where no other is set. Raises NotPrepared."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    cluster = Cluster(settings.data)
    if not cluster.exists:
        raise NotPrepared(f"there is no Berth in {settings.data.absolute()}: `berth up` makes one")
    try:
        return cluster.url
    except ClusterBroken as error:
        raise NotPrepared(str(error)) from error


async def prepare_root(settings: Settings) -> str:
    """Make the root's access key, or what the settings say the newest; return what was done. Raises NotPrepared."""
    secret = settings.root_secret_access_key
    given = (settings.root_access_key_id, secret.get_secret_value() if secret else None)
    async with using(settings) as database:
        await _check_open(database, settings.account_id)
        seal = master_seal(settings)
        before = await access_keys.root_of(database, seal, settings.account_id)
        key = await access_keys.create_root(database, seal, settings.account_id, *given)
    logs.hide(key.secret)
    return f"{key.id} of account {settings.account_id}{'' if before == key else ', new'}"


async def _check_open(database: Database, account: str) -> None:
    """Raises NotPrepared where there is such an account and it is closed."""
    with contextlib.suppress(AccountUnknown):
        if not (await accounts.get(database, account)).is_open:
            raise NotPrepared(_closed(account))


def _closed(account: str) -> str:
    return f"account {account} is closed: `berth account reopen {account}` opens it again"


async def root_key(settings: Settings, account: str) -> AccessKey:
    """The access key of the account's root. Raises NotPrepared."""
    async with using(settings) as database:
        key = await access_keys.root_of(database, master_seal(settings), account)
        if key is None and account != settings.account_id:
            raise NotPrepared(await _without_key(database, account))
    if key is None:
        raise NotPrepared(f"account {account} has no root access key yet: `berth up` or `berth migrate` makes it")
    return key


async def _without_key(database: Database, account: str) -> str:
    """Why the root of another account than that of the settings has none."""
    try:
        found = await accounts.get(database, account)
    except AccountUnknown:
        return f"there is no account {account}: `berth account create {account}` makes it"
    if found.is_open:
        return f"the root of account {account} has no access key"
    return _closed(account)


@contextlib.asynccontextmanager
async def using(settings: Settings, connections: int = 1) -> AsyncIterator[Database]:
    """The database, for as long as the context lasts. Raises NotPrepared."""
    database = Database(database_url(settings), pool=connections)
    try:
        yield database
    except DatabaseUnavailable as error:
        raise NotPrepared(unavailable(settings, str(error))) from error
    except SealBroken as error:
        raise NotPrepared(
            f"the secrets in the database were sealed under another master key: bring back the file master.key in "
            f"{settings.data.absolute()}, or the BERTH_MASTER_KEY, that they were made with ({error})"
        ) from error
    finally:
        await database.close()


def unavailable(settings: Settings, reason: str) -> str:
    if settings.database_url is not None:
        return f"the PostgreSQL of BERTH_DATABASE_URL does not answer: {reason}"
    return f"the PostgreSQL in {settings.data.absolute()} is not running: start `berth up` in another terminal"
