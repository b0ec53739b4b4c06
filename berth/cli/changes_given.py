"""The change that the options of `berth iam what-if` describe."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from berth.cli.preparation import fail, text_of
from berth.database.db import Database
from berth.errors.iam import NoSuchEntity
from berth.identity.arns import IdentityArn, Kind
from berth.identity.directory import held_policies, identities
from berth.identity.what_if import changing
from berth.identity.what_if.changing import Change
from berth.names import NameInvalid, Registry, RepositoryArn

# More than any policy has, so that its length can be complained about.
MOST_CHARACTERS = 128 * 1024


@dataclass(frozen=True, slots=True)
class Given:
    """What was given; of the policies exactly one, whose `kind` is the name of its option."""

    kind: str
    policy: str
    of: str | None
    file: Path | None
    without: bool


def given_of(policies: dict[str, str | None], of: str | None, file: Path | None, *, without: bool) -> Given:
    """Raises click.UsageError."""
    named = [(kind, policy) for kind, policy in policies.items() if policy is not None]
    if len(named) != 1:
        raise click.UsageError(f"name one policy that changes: --{', --'.join(policies)}")
    ((kind, policy),) = named
    if (of is not None) != (kind in _OF):
        raise click.UsageError(f"--{kind} {'needs' if of is None else 'takes no'} --of")
    if file is not None and (without or kind in _WITHOUT_FILE):
        raise click.UsageError(f"FILE: nothing is read with {'--without' if without else f'--{kind}'}")
    if file is None and not without and kind not in _WITHOUT_FILE:
        raise click.UsageError("give the FILE that the policy would be, or --without")
    if without and kind == "managed-policy":
        raise click.UsageError("--managed-policy: detach it with --attached-policy … --without")
    return Given(kind, policy, of, file, without)


async def change_of(database: Database, given: Given) -> Change:
    """Raises EcrError for whom or what there is not."""
    text = None if given.file is None else text_of(given.file, MOST_CHARACTERS)
    return await _MAKING[given.kind](database, given, text)


async def _inline(database: Database, given: Given, text: str | None) -> Change:
    return changing.InlinePolicy(*await _identity(database, given), given.policy, text)


async def _attached(database: Database, given: Given, _text: str | None) -> Change:
    return changing.AttachedPolicy(*await _identity(database, given), given.policy, attached=not given.without)


async def _boundary(database: Database, given: Given, _text: str | None) -> Change:
    return changing.Boundary(*await _identity(database, given), None if given.without else given.policy)


async def _managed(_database: Database, given: Given, text: str | None) -> Change:
    return changing.ManagedPolicy(held_policies.parse(given.policy)["account"], given.policy, text or "")


async def _control(_database: Database, given: Given, text: str | None) -> Change:
    return changing.ServiceControl(given.of or "", given.policy, text)


async def _repository(_database: Database, given: Given, text: str | None) -> Change:
    try:
        arn = RepositoryArn.parse(given.policy)
    except NameInvalid as error:
        _refuse(given, str(error))
    return changing.RepositoryPolicy(arn.registry, arn.name, text)


async def _registry(_database: Database, given: Given, text: str | None) -> Change:
    account, _, region = given.policy.partition("/")
    try:
        return changing.RegistryPolicy(Registry.parse(account, region), text)
    except NameInvalid as error:
        _refuse(given, f"{error}; write ACCOUNT/REGION")


async def _identity(database: Database, given: Given) -> tuple[str, Kind, str]:
    """Whose policy it is: account, kind and name. Raises NoSuchEntity."""
    named = IdentityArn.parse(given.of or "")
    if named is None:
        fail(f"--of: '{given.of}' is not the ARN of a user, a group or a role")
    identity = await identities.get(database, named.account, named.kind, named.name)
    if identity.arn != given.of:
        raise NoSuchEntity(f"The {named.kind} with arn {given.of} cannot be found.")
    return identity.account, named.kind, identity.name


def _refuse(given: Given, words: str) -> NoReturn:
    fail(f"--{given.kind}: {words}")


_MAKING = {
    "inline-policy": _inline,
    "attached-policy": _attached,
    "boundary": _boundary,
    "managed-policy": _managed,
    "service-control-policy": _control,
    "repository-policy": _repository,
    "registry-policy": _registry,
}
KINDS = tuple(_MAKING)
# Those that are somebody's, or an account's.
_OF = ("inline-policy", "attached-policy", "boundary", "service-control-policy")
# Those that are policies which are there already.
_WITHOUT_FILE = ("attached-policy", "boundary")
