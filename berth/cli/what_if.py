"""What `berth iam what-if` does: what a change of policy would change for the requests of the past days."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import orjson

from berth.audit.reading import Wanted
from berth.cli.changes_given import Given, change_of
from berth.cli.holder import as_running
from berth.cli.preparation import done_or_exit, fail, using
from berth.database.db import Database
from berth.errors import EcrError
from berth.identity.directory.accounts import AccountUnknown
from berth.identity.directory.service_control import NotSuited
from berth.identity.simulation.simulated import find as find_principal
from berth.identity.what_if import asking
from berth.identity.what_if.differences import Difference, Differences
from berth.networks.places import Places
from berth.settings import Settings

# Longer than anything is kept.
MOST_DAYS = 3653
# Something would be decided otherwise.
DIFFERS = 3


def run(
    settings: Settings, given: Given, days: int | None, account: str | None, principal: str | None, *, as_json: bool
) -> None:
    settings = as_running(settings)
    try:
        found = done_or_exit(_ask(settings, given, days or MOST_DAYS, account, principal))
    except EcrError as error:
        fail(error.message)
    except AccountUnknown as unknown:
        fail(f"there is no account '{unknown}': see `berth account list`")
    except NotSuited as error:
        fail(str(error))
    if as_json:
        click.echo(orjson.dumps(as_data(found), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(lines(found, days)))
    if found.refused or found.allowed:
        sys.exit(DIFFERS)


async def _ask(settings: Settings, given: Given, days: int, account: str | None, principal: str | None) -> Differences:
    since = (datetime.now(UTC) - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    async with using(settings) as database:
        change = await change_of(database, given)
        who = Wanted(since, account, principal, await _identity_id(database, principal))
        return await asking.ask(database, change, who, Places(settings.networks))


async def _identity_id(database: Database, principal: str | None) -> str | None:
    """Of a user or a role, so that sessions of the role count; of one that is gone, its ARN has to do."""
    if principal is None or ":iam:" not in principal:
        return None
    try:
        identity = (await find_principal(database, principal)).identity
    except EcrError:
        return None
    return None if identity is None else identity.id


def lines(found: Differences, days: int | None) -> Iterable[str]:
    """For people."""
    when = "recorded" if days is None else f"of the past {days} days"
    yield f"{found.requests:,} requests {when}: {found.refused:,} newly refused, {found.allowed:,} newly allowed"
    for title, allowed in (("newly refused", False), ("newly allowed", True)):
        differences = list(found.newly(allowed=allowed))
        if differences:
            yield f"\n{title}:"
        for each in differences:
            yield f"  {each.requests:>9,}  {each.principal} {each.action} on {each.resource}"
            yield f"             last {each.last_at:%Y-%m-%d %H:%M:%S} UTC; {each.reason}"
            yield f"             until now: {each.reason_before}"
    notes = list(_notes(found))
    if notes:
        yield ""
        yield from notes


def _notes(found: Differences) -> Iterable[str]:
    for why, requests in found.undecided.most_common():
        yield f"{requests:,} requests cannot be decided any more: {why}"
    if found.cut:
        yield f"{found.cut:,} requests were decided by a user agent, tags or names that were recorded in part"
    if found.beyond:
        yield f"{found.beyond:,} requests were counted and not recorded: there were too many different ones"
    if found.unlisted:
        yield f"{found.unlisted:,} of the requests that would be decided otherwise are not listed: too many differ"


def as_data(found: Differences) -> dict[str, Any]:
    """For programs."""
    return {
        "since": found.since,
        "requests": found.requests,
        "newlyRefused": found.refused,
        "newlyAllowed": found.allowed,
        "undecided": dict(found.undecided),
        "decidedByShortenedValues": found.cut,
        "notRecorded": found.beyond,
        "notListed": found.unlisted,
        "refused": [_difference(each) for each in found.newly(allowed=False)],
        "allowed": [_difference(each) for each in found.newly(allowed=True)],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "principal": each.principal,
        "action": each.action,
        "resource": each.resource,
        "requests": each.requests,
        "lastAt": each.last_at,
        "reason": each.reason,
        "reasonUntilNow": each.reason_before,
    }
