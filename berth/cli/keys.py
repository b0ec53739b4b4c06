"""`berth keys`: the access keys that there are, how one is taken back, and how what seals passwords is rotated."""

import sys
from typing import Any

import click
import orjson

from berth.cli.preparation import done_or_exit, using
from berth.identity.credentials import access_keys, key_rotation
from berth.identity.credentials.access_keys import Listed
from berth.identity.credentials.key_rotation import Rotation
from berth.sealing import master_seal
from berth.settings import Settings


def run_list(settings: Settings, *, as_json: bool) -> None:
    keys = done_or_exit(_listing(settings))
    if as_json:
        click.echo(orjson.dumps([_as_data(key) for key in keys], option=orjson.OPT_INDENT_2))
        return
    for key in keys:
        state = "" if key.status == "Active" else f"  {key.status.lower()}"
        click.echo(f"{key.id}  {key.principal_arn}  since {key.created_at:%Y-%m-%d %H:%M} UTC{state}")


def _as_data(key: Listed) -> dict[str, Any]:
    """As IAM names them ("AccessKeyMetadata")."""
    created_at = key.created_at.replace(microsecond=0)
    return {"AccessKeyId": key.id, "Arn": key.principal_arn, "Status": key.status, "CreateDate": created_at}


def run_revoke(settings: Settings, access_key_id: str) -> None:
    is_gone, has_root = done_or_exit(_revoke(settings, access_key_id))
    if not is_gone:
        click.echo(f"berth: there is no access key '{access_key_id}': see `berth keys list`", err=True)
        sys.exit(1)
    click.echo(f"{access_key_id} is revoked, and with it every registry password that was got by it")
    if access_key_id == settings.root_access_key_id:
        click.echo("The settings give it to the root: without another one there, the next start makes it again.")
    elif not has_root:
        click.echo("The root has no access key left: `berth migrate` makes a new one, and so does the next `berth up`.")


def run_rotate(settings: Settings) -> None:
    rotation = done_or_exit(_rotate(settings))
    click.echo(f"key {rotation.newest} seals passwords and tokens from now on, in every process within a second")
    for key_id, until in rotation.opening.items():
        click.echo(
            f"key {key_id} opens what it sealed; after {until:%Y-%m-%d %H:%M} UTC nothing of it holds any more, and "
            "`berth keys rotate` drops it"
        )
    for key_id in rotation.dropped:
        click.echo(f"key {key_id} is dropped: nothing that it sealed holds any more")


async def _rotate(settings: Settings) -> Rotation:
    async with using(settings) as database:
        return await key_rotation.rotate(database, master_seal(settings))


async def _listing(settings: Settings) -> list[Listed]:
    async with using(settings) as database:
        return await access_keys.listing(database)


async def _revoke(settings: Settings, access_key_id: str) -> tuple[bool, bool]:
    """Whether the key was there, and whether the root of the account has one now."""
    async with using(settings) as database:
        is_gone = await access_keys.revoke(database, access_key_id)
        root = await access_keys.root_of(database, master_seal(settings), settings.account_id)
        return is_gone, root is not None
