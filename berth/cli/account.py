"""`berth account`: the accounts that there are, each with a root of its own, and what each may do at most."""

from pathlib import Path
from typing import Any

import click

from berth.cli.options import EPILOG, settings_flags
from berth.settings import Settings


@click.group()
def account() -> None:
    """Accounts: make, list, close and reopen them."""


@account.command(epilog=EPILOG)
@click.argument("number", metavar="[ACCOUNT]", required=False)
@click.option("--name", metavar="NAME", help="What it is called (default: its number).")
@click.option("--env", "for_eval", is_flag=True, help='Print what AWS clients need, for eval "$(…)".')
@settings_flags
def create(settings: Settings, number: str | None, name: str | None, *, for_eval: bool) -> None:
    """Make an account of 12 digits (made up where none are given), and print the access key of its root."""
    from berth.cli.accounts import run_create

    run_create(settings, number, name, for_eval=for_eval)


@account.command(name="list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@settings_flags
def list_accounts(settings: Settings, **options: Any) -> None:
    """List the accounts."""
    from berth.cli.accounts import run_list

    run_list(settings, **options)


@account.command(epilog=EPILOG)
@click.argument("number", metavar="ACCOUNT")
@settings_flags
def close(settings: Settings, number: str) -> None:
    """Let nobody do anything in the account any more; what is in it stays."""
    from berth.cli.accounts import run_close

    run_close(settings, number)


@account.command(epilog=EPILOG)
@click.argument("number", metavar="ACCOUNT")
@settings_flags
def reopen(settings: Settings, number: str) -> None:
    """Open a closed account again, with all that was in it."""
    from berth.cli.accounts import run_reopen

    run_reopen(settings, number)


@account.group()
def scp() -> None:
    """Service control policies: what an account may do at most, its root included."""


@scp.command(name="set", epilog=EPILOG)
@click.argument("number", metavar="ACCOUNT")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@settings_flags
def set_policies(settings: Settings, number: str, files: tuple[Path, ...]) -> None:
    """Put the policies in these files, each named as its file is, instead of those that were put before.

    FullAWSAccess stays beside them, so that they need only deny; `berth account scp remove ACCOUNT FullAWSAccess` makes
    them say what is allowed, too.
    """
    from berth.cli.service_control import run_set

    run_set(settings, number, files)


@scp.command(epilog=EPILOG)
@click.argument("number", metavar="ACCOUNT")
@click.option("--json", "as_json", is_flag=True, help="Print the documents by their names as JSON.")
@settings_flags
def show(settings: Settings, number: str, **options: Any) -> None:
    """Print the policies of the account."""
    from berth.cli.service_control import run_show

    run_show(settings, number, **options)


@scp.command(epilog=EPILOG)
@click.argument("number", metavar="ACCOUNT")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@settings_flags
def remove(settings: Settings, number: str, names: tuple[str, ...]) -> None:
    """Remove the policies of these names; without a name all, so that nothing limits the account any more."""
    from berth.cli.service_control import run_remove

    run_remove(settings, number, names)
