"""What a user, a group or a role has, as a file declares it: policies, a boundary, groups."""

from collections.abc import AsyncIterator, Iterator

from berth.database.db import Database
from berth.identity.declared.files import NotDeclared
from berth.identity.declared.identities import Wanted
from berth.identity.declared.steps import Step, differences, is_same, step, text_of
from berth.identity.directory import attachments, boundaries, groups, inline_policies, names
from berth.identity.directory.identities import Identity
from berth.identity.documents import identity_document

# More than a user can be in.
_ALL = 1000


async def steps(database: Database, wanted: Wanted, found: Identity | None) -> AsyncIterator[Step]:
    """What the user, group or role has: policies, a boundary, groups. Raises NotDeclared, MalformedPolicyDocument."""
    attached = [] if found is None else await attachments.all_of(database, found)
    arns = [wanted.arn(policy) for policy in wanted.declared["policies"]] if "policies" in wanted.declared else attached
    for arn in arns:
        if arn not in attached:
            yield step("+", f"{wanted.title}: policy {arn}", attachments.attach, *wanted.place, arn)
    async for each in _inline(database, wanted, found):
        yield each
    for each in _boundary(wanted, found):
        yield each
    async for each in _groups(database, wanted, found):
        yield each
    for arn in attached:
        if arn not in arns:
            yield step("-", f"{wanted.title}: policy {arn}", attachments.detach, *wanted.place, arn)


async def _inline(database: Database, wanted: Wanted, found: Identity | None) -> AsyncIterator[Step]:
    have = {} if found is None else {
        name: await inline_policies.get(database, found, name)
        for name in await inline_policies.all_of(database, found)
    }  # fmt: skip
    for name, document in wanted.declared.get("inline", {}).items():
        text, what = text_of(document), f"{wanted.title}: inline policy {name}"
        identity_document.parse(text)
        if name not in have:
            yield step("+", what, inline_policies.put, *wanted.place, name, text)
        elif not is_same(have[name], document):
            putting = step("~", what, inline_policies.put, *wanted.place, name, text)
            yield Step(putting.sign, what, putting.run, differences(have[name], document))
    for name in have:
        if name not in wanted.declared.get("inline", have):
            yield step("-", f"{wanted.title}: inline policy {name}", inline_policies.remove, *wanted.place, name)


def _boundary(wanted: Wanted, found: Identity | None) -> Iterator[Step]:
    before = None if found is None else found.boundary
    given = wanted.declared.get("boundary", before)
    after = None if given is None else wanted.arn(given)
    if after is not None and after != before:
        yield step("~", f"{wanted.title}: boundary {after}", boundaries.put, *wanted.place, after)
    if after is None and before is not None:
        yield step("-", f"{wanted.title}: boundary {before}", boundaries.remove, *wanted.place)


async def _groups(database: Database, wanted: Wanted, found: Identity | None) -> AsyncIterator[Step]:
    if wanted.kind != "user" or "groups" not in wanted.declared:
        return
    have = [] if found is None else [each.name for each in await groups.groups_of(database, found, limit=_ALL)]
    folded = set(map(names.folded, have))
    for name in wanted.declared["groups"]:
        if names.folded(name) not in wanted.groups:
            raise NotDeclared(f"{wanted.title}: there is no group '{name}' in the file, nor in the account")
        if names.folded(name) not in folded:
            yield step("+", f"{wanted.title}: group {name}", groups.add, wanted.account, name, wanted.name)
    declared = set(map(names.folded, wanted.declared["groups"]))
    for name in have:
        if names.folded(name) not in declared:
            yield step("-", f"{wanted.title}: group {name}", groups.remove, wanted.account, name, wanted.name)
