"""The `berth` command."""

from typing import Any

import click

from berth.cli.account import account
from berth.cli.iam import iam
from berth.cli.options import EPILOG, settings_flags
from berth.cli.version import VERSION
from berth.settings import Settings

# Each command imports what it needs when it runs: `berth --help` answers at once.


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, epilog=EPILOG)
def main() -> None:
    """Berth is an Amazon ECR that you run yourself."""


@main.command(epilog=EPILOG)
@settings_flags
def up(settings: Settings) -> None:
    """Start everything on this machine, and keep it running."""
    from berth.cli.up.command import run

    run(settings)


@main.command(epilog=EPILOG)
@click.option(
    "--account", metavar="ACCOUNT", help="The account whose root it is for (default: the one of --account-id)."
)
@settings_flags
def env(settings: Settings, **options: Any) -> None:
    """Print what AWS clients need, for eval "$(berth env)"."""
    from berth.cli.env import run

    run(settings, **options)


main.add_command(account)
main.add_command(iam)


@main.command(epilog=EPILOG)
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something is pending.")
@settings_flags
def migrate(settings: Settings, **options: Any) -> None:
    """Bring the database up to date (berth up does it too)."""
    from berth.cli.migrate import run

    run(settings, **options)


@main.command(epilog=EPILOG)
@settings_flags
def doctor(settings: Settings) -> None:
    """Check everything that Berth needs, and say how to mend what is wrong."""
    from berth.cli.doctor.command import run

    run(settings)


@main.group()
def keys() -> None:
    """Access keys: list them, and take one back; and the keys that seal passwords."""


@keys.command(name="list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@settings_flags
def list_keys(settings: Settings, **options: Any) -> None:
    """List the access keys, without their secrets."""
    from berth.cli.keys import run_list

    run_list(settings, **options)


@keys.command(epilog=EPILOG)
@click.argument("access_key_id")
@settings_flags
def revoke(settings: Settings, access_key_id: str) -> None:
    """Take an access key back, and with it the registry passwords that were got by it."""
    from berth.cli.keys import run_revoke

    run_revoke(settings, access_key_id)


@keys.command(epilog=EPILOG)
@settings_flags
def rotate(settings: Settings) -> None:
    """Seal registry passwords and tokens with a new key from now on; nobody is logged out."""
    from berth.cli.keys import run_rotate

    run_rotate(settings)


@main.command(epilog=EPILOG)
@click.option("--sweep", is_flag=True, help="Look through the whole store first, for bytes that the database forgot.")
@settings_flags
def collect(settings: Settings, **options: Any) -> None:
    """Remove now what nobody needs any more (the worker does it every minute)."""
    from berth.cli.collect import run

    run(settings, **options)


@main.group()
def store() -> None:
    """The store of layers: verify it, and move it."""


AT_ONCE = click.option("--at-once", default=4, type=click.IntRange(1, 64), show_default=True, help="Blobs at a time.")


@store.command(epilog=EPILOG)
@click.option("--repository", help="Only what this repository holds (--account-id and --region: of another registry).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@AT_ONCE
@settings_flags
def verify(settings: Settings, **options: Any) -> None:
    """Read and hash every layer; exit code 1 when some are missing or wrong."""
    from berth.cli.store import run_verify

    run_verify(settings, **options)


@store.command(name="migrate", epilog=EPILOG)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@AT_ONCE
@settings_flags
def migrate_store(settings: Settings, source: str, target: str, **options: Any) -> None:
    """Copy every layer from the store FROM to the store TO, while Berth serves; exit code 0 when FROM may go."""
    from berth.cli.store import run_migrate

    run_migrate(settings, source, target, **options)


@main.group()
def images() -> None:
    """Deleted images: list them, and get them back."""


@images.command(epilog=EPILOG)
@click.argument("repository", required=False)
@settings_flags
def deleted(settings: Settings, repository: str | None) -> None:
    """List the images that were deleted and can be restored (--account-id and --region: of another registry)."""
    from berth.cli.images import run_deleted

    run_deleted(settings, repository)


@images.command(epilog=EPILOG)
@click.argument("repository")
@click.argument("image", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every deleted image of the repository.")
@settings_flags
def restore(settings: Settings, repository: str, image: tuple[str, ...], *, everything: bool) -> None:
    """Bring deleted images back, by digest or by a tag that they had; with them those that an index needs."""
    from berth.cli.images import run_restore

    run_restore(settings, repository, image, everything=everything)


@main.command(epilog=EPILOG)
@click.option("--only", type=click.Choice(["api", "registry"]), help="Ask one of the two.")
@settings_flags
def ready(settings: Settings, **options: Any) -> None:
    """Exit with 0 if Berth is ready for requests on this machine (for health checks), with 1 if not."""
    from berth.cli.ready import run

    run(settings, **options)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"Berth {VERSION}")
