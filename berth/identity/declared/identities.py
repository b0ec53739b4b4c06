"""Users, groups and roles as a file declares them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from berth.database.db import Database
from berth.errors.iam import NoSuchEntity
from berth.identity.arns import Kind
from berth.identity.declared import tags
from berth.identity.declared.files import NotDeclared
from berth.identity.declared.steps import Step, differences, is_same, step, text_of
from berth.identity.directory import (
    aws_policies,
    groups,
    identities,
    names,
    roles,
    users,
)
from berth.identity.directory.identities import Identity

Declared = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One that a file declares. `arns` are those of the account's managed policies by their names, `groups` those of
    its groups, in small letters.
    """

    account: str
    kind: Kind
    name: str
    declared: Declared
    arns: Mapping[str, str]
    groups: Collection[str]

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def place(self) -> tuple[str, Kind, str]:
        return self.account, self.kind, self.name

    def arn(self, policy: str) -> str:
        """The ARN of a managed policy that the file names. Raises NotDeclared."""
        found = policy if policy.startswith("arn:") else self.arns.get(policy)
        if found is None or (found not in self.arns.values() and found not in aws_policies.BY_ARN):
            raise NotDeclared(f"{self.title}: there is no policy '{policy}' in the file, nor in the account")
        return found


async def find(database: Database, wanted: Wanted) -> Identity | None:
    try:
        return await identities.get(database, *wanted.place)
    except NoSuchEntity:
        return None


def itself(wanted: Wanted, found: Identity | None) -> Iterator[Step]:
    """That the user, group or role is there, where it should be. Raises NotDeclared."""
    if found is None:
        yield _made(wanted)
        return
    path = wanted.declared.get("path", found.path)
    if path != found.path:
        if wanted.kind == "role":
            raise NotDeclared(f"{wanted.title}: the path of a role cannot be changed; it is {found.path}")
        change = users.update if wanted.kind == "user" else groups.update
        yield step("~", f"{wanted.title}: path {found.path} → {path}", change, wanted.account, found.name, path, None)
    if wanted.kind == "role":
        yield from _role(wanted, found)
    yield from _tags(wanted, found)


def _made(wanted: Wanted) -> Step:
    declared, account = wanted.declared, wanted.account
    names.check_name(wanted.name, f"{wanted.kind}Name")
    path = declared.get("path", names.ROOT)
    if wanted.kind == "group":
        return step("+", wanted.title, groups.create, account, path, wanted.name)
    given = declared.get("tags", {})
    if wanted.kind == "user":
        return step("+", wanted.title, users.create, account, path, wanted.name, given)
    return step(
        "+",
        wanted.title,
        roles.create,
        account,
        path,
        wanted.name,
        text_of(declared["trust"]),
        tags=given,
        description=declared.get("description"),
        max_session_seconds=declared.get("max_session_seconds", roles.DEFAULT_SESSION_SECONDS),
    )


def _role(wanted: Wanted, role: Identity) -> Iterator[Step]:
    declared, trust = wanted.declared, wanted.declared["trust"]
    before = role.trust_policy or "{}"
    if not is_same(before, trust):
        changing = step(
            "~", f"{wanted.title}: trust", roles.set_trust_policy, wanted.account, role.name, text_of(trust)
        )
        yield Step(changing.sign, changing.what, changing.run, differences(before, trust))
    for member in ("description", "max_session_seconds"):
        now = getattr(role, member)
        if declared.get(member, now) != now:
            given = {"description": None, "max_session_seconds": None, member: declared[member]}
            what = f"{wanted.title}: {member} {now} → {declared[member]}"
            yield step("~", what, roles.update, wanted.account, role.name, **given)


def _tags(wanted: Wanted, found: Identity) -> Iterator[Step]:
    changes = identities.add_tags, identities.remove_tags
    return tags.steps(wanted.title, found.tags, wanted.declared.get("tags", found.tags), *changes, *wanted.place)
