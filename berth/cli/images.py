"""`berth images`: deleted images are listed, and come back."""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import click

from berth.cli.preparation import NotPrepared, using
from berth.errors import RepositoryNotFound
from berth.names import Digest, NameInvalid, Tag
from berth.recovery import deleted_images, restoring
from berth.recovery.choosing import CannotRestore
from berth.recovery.deleted_images import DeletedImage
from berth.recovery.restoring import Restored
from berth.settings import Settings

Result = TypeVar("Result")


class _Refused(Exception):
    """The text says why."""


def run_deleted(settings: Settings, repository: str | None) -> None:
    for image in _or_exit(_listing(settings, repository)):
        until = image.deleted_at + settings.recovery_window
        click.echo(
            f"{image.repository}@{image.digest}  {' '.join(image.tags) or '-'}  {image.size} bytes"
            f"  deleted {image.deleted_at:%Y-%m-%d %H:%M} UTC, kept until {until:%Y-%m-%d %H:%M} UTC"
        )


def run_restore(settings: Settings, repository: str, names: Sequence[str], *, everything: bool) -> None:
    if everything == bool(names):
        click.echo("berth: name the images to restore, by digest or tag, or give --all", err=True)
        sys.exit(2)
    for image in _or_exit(_restore(settings, repository, None if everything else names)):
        click.echo(
            f"{repository}@{image.digest}  {' '.join(image.tags) or '-'}{'' if image.is_back else '  (was there)'}"
        )
        if image.taken:
            click.echo(f"  not restored, for they are on other images now: {' '.join(image.taken)}")


async def _listing(settings: Settings, repository: str | None) -> list[DeletedImage]:
    async with using(settings) as database:
        return await deleted_images.listing(database, settings.registry, repository)


async def _restore(settings: Settings, repository: str, names: Sequence[str] | None) -> list[Restored]:
    async with using(settings) as database:
        try:
            wanted = None if names is None else [_image(name) for name in names]
            return await restoring.restore(database, settings.registry, repository, wanted)
        except RepositoryNotFound as error:
            command = f"aws ecr create-repository --repository-name {repository}"
            raise _Refused(f"{error.message}. Create it first: {command}") from error
        except (CannotRestore, NameInvalid) as error:
            raise _Refused(str(error)) from error


def _image(name: str) -> Digest | Tag:
    return Digest.parse(name) if ":" in name else Tag.parse(name)


def _or_exit(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except (NotPrepared, _Refused) as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(1)
