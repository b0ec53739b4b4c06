"""`berth iam`: who may do what, and why."""

import click

from berth.cli.options import EPILOG, settings_flags
from berth.settings import Settings


@click.group()
def iam() -> None:
    """Identities and policies: explain what is decided."""


@iam.command(epilog=EPILOG)
@click.option("--principal", metavar="ARN", required=True, help="A user, a role or a session of one, a group, a root.")
@click.option("--action", metavar="ACTION", required=True, help="Such as ecr:PutImage.")
@click.option("--resource", metavar="ARN", default="*", show_default=True, help="What it would be done to.")
@click.option(
    "--context",
    "given",
    metavar="KEY=VALUE",
    multiple=True,
    help="A condition key of the request, such as aws:SourceIp=10.0.0.1; again for more, or for more values of one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@settings_flags
def explain(
    settings: Settings, principal: str, action: str, resource: str, given: tuple[str, ...], *, as_json: bool
) -> None:
    """Say whether it is allowed, and by which statements; exit code 0: it is, 3: nothing allows it, 4: it is denied."""
    from berth.cli.explain import run

    run(settings, principal, action, resource, given, as_json=as_json)
