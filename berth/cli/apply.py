"""What `berth iam apply` does: the difference between a file and an account, shown and made."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from berth.cli.holder import as_running
from berth.cli.preparation import done_or_exit, fail, using
from berth.errors import EcrError
from berth.identity.declared import files
from berth.identity.declared.files import NotDeclared
from berth.identity.declared.plan import plan
from berth.identity.declared.steps import Step
from berth.identity.directory import accounts
from berth.identity.directory.accounts import AccountUnknown
from berth.settings import Settings

# There is something to change, and nothing was.
PENDING = 3


def run(settings: Settings, file: Path, account: str | None, *, prune: bool, yes: bool) -> None:
    try:
        declared = files.read(file.read_text(encoding="utf-8"))
        chosen = account or declared["account"] or as_running(settings).account_id
        steps, done = done_or_exit(_apply(settings, chosen, declared, prune=prune, yes=yes))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")
    except NotDeclared as error:
        fail(f"{file}: {error}")
    except AccountUnknown as unknown:
        fail(f"there is no account '{unknown}': see `berth account list`")
    except EcrError as error:
        fail(f"{file}: {error.message}")
    if not steps:
        click.echo(f"account {chosen} is as {file} says")
    elif done == len(steps):
        click.echo(f"{done} changes made in account {chosen}")
    else:
        click.echo(f"{len(steps)} changes to make in account {chosen}: --yes makes them")
        sys.exit(PENDING)


async def _apply(
    settings: Settings, account: str, declared: Mapping[str, Any], *, prune: bool, yes: bool
) -> tuple[list[Step], int]:
    """The steps, and how many of them were made."""
    async with using(settings) as database:
        await accounts.get(database, account)
        steps = await plan(database, account, declared, prune=prune)
        for step in steps:
            click.echo(str(step))
        if not yes:
            return steps, 0
        for number, step in enumerate(steps):
            try:
                await step.run(database)
            except EcrError as error:
                raise NotDeclared(
                    f"{number} of {len(steps)} changes made; then '{step.what}': {error.message}"
                ) from None
        return steps, len(steps)
