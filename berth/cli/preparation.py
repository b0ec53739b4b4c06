"""The database that the settings name, and the access key of the account's root in it."""

import contextlib
from collections.abc import AsyncIterator

from berth import logs
from berth.db import Database, DatabaseUnavailable
from berth.embedded import Cluster, ClusterBroken
from berth.identity import access_keys
from berth.identity.access_keys import AccessKey
from berth.sealing import SealBroken, master_seal
from berth.settings import Settings


class NotPrepared(Exception):
    """The database cannot be used as it is; the text says why and what to do."""


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
        seal = master_seal(settings)
        before = await access_keys.root_of(database, seal, settings.account_id)
        key = await access_keys.create_root(database, seal, settings.account_id, *given)
    logs.hide(key.secret)
    return f"{key.id} of account {settings.account_id}{'' if before == key else ', new'}"


async def root_key(settings: Settings) -> AccessKey:
    """The root's access key. Raises NotPrepared."""
    async with using(settings) as database:
        key = await access_keys.root_of(database, master_seal(settings), settings.account_id)
    if key is None:
        raise NotPrepared(
            f"account {settings.account_id} has no root access key yet: `berth up` or `berth migrate` makes it"
        )
    return key


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
