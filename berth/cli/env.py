"""`berth env`: what a shell must know so that `aws ecr`, boto3 and Terraform talk to this Berth."""

import shlex

import click

from berth.cli.holder import as_running
from berth.cli.preparation import done_or_exit, root_key
from berth.settings import Settings

SERVICES = ("ECR", "STS", "IAM")
# Each would stand before the keys, or before the endpoints, that are exported here.
IN_THE_WAY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


def run(settings: Settings, *, account: str | None) -> None:
    settings = as_running(settings)
    try:
        key = done_or_exit(_root_key(settings, account or settings.account_id))
    except SystemExit:
        # What is evaluated fails too: `eval "$(berth env …)" && …` goes not on with the keys of another account.
        click.echo("false")
        raise
    print_exports(settings, *key)


def print_exports(settings: Settings, key_id: str, secret: str) -> None:
    """What a shell evaluates to call the API by that key."""
    variables = {f"AWS_ENDPOINT_URL_{service}": settings.api_endpoint or settings.api_url for service in SERVICES}
    variables |= {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}
    variables |= {"AWS_REGION": settings.region, "AWS_DEFAULT_REGION": settings.region}
    click.echo(f"unset {' '.join(IN_THE_WAY)}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


async def _root_key(settings: Settings, account: str) -> tuple[str, str]:
    is_given = account == settings.account_id
    if is_given and settings.root_access_key_id and settings.root_secret_access_key:
        return settings.root_access_key_id, settings.root_secret_access_key.get_secret_value()
    key = await root_key(settings, account)
    return key.id, key.secret
