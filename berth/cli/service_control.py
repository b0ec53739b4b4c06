"""What `berth account scp set`, `show` and `remove` do."""

from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from berth.cli.preparation import done_or_exit, fail, text_of, using
from berth.identity.directory import service_control
from berth.identity.directory.accounts import AccountUnknown
from berth.identity.directory.service_control import MOST_CHARACTERS, NotSuited
from berth.settings import Settings

Result = TypeVar("Result")


def run_set(settings: Settings, account: str, files: Iterable[Path]) -> None:
    texts: dict[str, str] = {}
    for file in files:
        if file.stem in texts:
            fail(f"two files would be the policy '{file.stem}'")
        # A little more than a policy may have, so that its length can be complained about.
        texts[file.stem] = text_of(file, MOST_CHARACTERS + 1)
    _done(_put(settings, account, texts))
    _tell(settings, account)


def run_show(settings: Settings, account: str, *, as_json: bool) -> None:
    texts = _done(_of(settings, account))
    if as_json:
        documents = {name: orjson.loads(text) for name, text in texts.items()}
        click.echo(orjson.dumps(documents, option=orjson.OPT_INDENT_2))
        return
    for name, text in texts.items():
        click.echo(f"{name}\n{text.strip()}")


def run_remove(settings: Settings, account: str, names: tuple[str, ...]) -> None:
    _done(_remove(settings, account, names))
    _tell(settings, account)


def _tell(settings: Settings, account: str) -> None:
    click.echo(f"account {account}: {', '.join(_done(_of(settings, account)))}")


def _done(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return done_or_exit(work)
    except AccountUnknown as unknown:
        fail(f"there is no account '{unknown}': see `berth account list`")
    except NotSuited as error:
        fail(str(error))


async def _put(settings: Settings, account: str, texts: dict[str, str]) -> None:
    async with using(settings) as database:
        await service_control.put(database, account, texts)


async def _of(settings: Settings, account: str) -> dict[str, str]:
    async with using(settings) as database:
        return await service_control.of(database, account)


async def _remove(settings: Settings, account: str, names: tuple[str, ...]) -> None:
    async with using(settings) as database:
        await service_control.remove(database, account, *names)
