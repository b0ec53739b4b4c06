"""`berth iam`: who may do what, and why."""

from pathlib import Path

import click

from berth.cli.options import EPILOG, settings_flags
from berth.settings import Settings


@click.group()
def iam() -> None:
    """Identities and policies: explain what is decided, and apply them from a file."""


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
@click.option(
    "--vpc-endpoint",
    metavar="VPCE",
    help="The VPC endpoint that it would come through, one of --networks, whose policy then counts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@settings_flags
def explain(
    settings: Settings,
    principal: str,
    action: str,
    resource: str,
    given: tuple[str, ...],
    vpc_endpoint: str | None,
    *,
    as_json: bool,
) -> None:
    """Say whether it is allowed, and by which statements; exit code 0: it is, 3: nothing allows it, 4: it is denied."""
    from berth.cli.explain import run

    run(settings, principal, action, resource, given, vpc_endpoint, as_json=as_json)


@iam.command(epilog=EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", metavar="ACCOUNT", help="The account (default: the file's, or the one of --account-id).")
@click.option("--prune", is_flag=True, help="Take away whoever and whatever the account has and the file does not.")
@click.option("--yes", is_flag=True, help="Make the changes; without it they are only shown, and the exit code is 3.")
@settings_flags
def apply(settings: Settings, file: Path, account: str | None, *, prune: bool, yes: bool) -> None:
    """Make users, groups, roles, policies and OpenID Connect providers as FILE (YAML) declares them."""
    from berth.cli.apply import run

    run(settings, file, account, prune=prune, yes=yes)


@iam.command("what-if", epilog=EPILOG)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--inline-policy", metavar="NAME", help="An inline policy of --of.")
@click.option("--attached-policy", metavar="ARN", help="A managed policy that would be attached to --of.")
@click.option("--boundary", metavar="ARN", help="A managed policy that would be the permissions boundary of --of.")
@click.option("--managed-policy", metavar="ARN", help="What the managed policy would say.")
@click.option("--repository-policy", metavar="ARN", help="The policy on the repository with that ARN.")
@click.option("--registry-policy", metavar="ACCOUNT/REGION", help="The policy on that registry.")
@click.option("--service-control-policy", metavar="NAME", help="A service control policy of the account --of.")
@click.option("--of", metavar="ARN", help="The user, group or role that has the policy; or the account.")
@click.option("--without", is_flag=True, help="Ask what would be without it.")
@click.option(
    "--days", type=click.IntRange(1, 3653), metavar="DAYS", help="Of so many past days (default: all that are kept)."
)
@click.option("--account", metavar="ACCOUNT", help="Requests by principals of that account alone.")
@click.option("--principal", metavar="ARN", help="Requests by that user, role or session of one alone.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@settings_flags
def what_if(
    settings: Settings,
    file: Path | None,
    of: str | None,
    days: int | None,
    account: str | None,
    principal: str | None,
    *,
    without: bool,
    as_json: bool,
    **policies: str | None,
) -> None:
    """Say which requests of the past days would be decided otherwise if a policy were what FILE says, or --without it.

    Nothing is changed. Exit code 0: all would be decided as they are today, 3: some would not.
    """
    from berth.cli.changes_given import given_of
    from berth.cli.what_if import run

    named = {name.replace("_", "-"): policy for name, policy in policies.items()}
    run(settings, given_of(named, of, file, without=without), days, account, principal, as_json=as_json)
