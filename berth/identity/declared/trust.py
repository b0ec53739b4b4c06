"""Whom the roles of a file trust: everybody has to be there by the time that the role is made."""

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from berth.database.db import Database
from berth.errors import MalformedPolicyDocument
from berth.identity.declared.files import NotDeclared
from berth.identity.declared.identities import Wanted
from berth.identity.declared.steps import text_of
from berth.identity.directory import names, trusted
from berth.identity.directory.identities import Identity
from berth.identity.documents import trust_document
from berth.identity.documents.policy import PolicyDocument

# Each that the file declares, and what there is of that name.
Everybody = Sequence[tuple[Wanted, Identity | None]]


async def in_order(database: Database, everybody: Everybody) -> Everybody:
    """The same, each role behind the new ones that it trusts. Raises NotDeclared, MalformedPolicyDocument."""
    coming = {_place(wanted): _path(wanted, found) for wanted, found in everybody if wanted.kind != "group"}
    roles = {wanted.name: (wanted, found) for wanted, found in everybody if wanted.kind == "role"}
    trust = {name: trust_document.parse(text_of(wanted.declared["trust"])) for name, (wanted, _) in roles.items()}
    for name, (wanted, found) in roles.items():
        own = () if found else (_place(wanted),)
        try:
            there = {place: path for place, path in coming.items() if place not in own}
            await trusted.check(database, trust[name], there)
        except MalformedPolicyDocument as error:
            raise NotDeclared(f"{wanted.title}: {error.message}") from None
    new = {_place(wanted): name for name, (wanted, found) in roles.items() if found is None}
    before = {name: [new[place] for place in _named(policy) if place in new] for name, policy in trust.items()}
    try:
        ordered = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise NotDeclared(f"roles trust each other, and none can be made first: {circle}") from None
    others = [pair for pair in everybody if pair[0].kind != "role"]
    return [*others, *(roles[name] for name in ordered)]


def _named(policy: PolicyDocument) -> Iterator[tuple[str, str, str]]:
    return ((each.account, each.kind, each.name) for each in trusted.named(policy))


def _place(wanted: Wanted) -> tuple[str, str, str]:
    return wanted.account, wanted.kind, wanted.name


def _path(wanted: Wanted, found: Identity | None) -> str:
    path: str = wanted.declared.get("path", names.ROOT if found is None else found.path)
    return path
