"""Whom a trust policy names: users and roles that are not there are refused, as IAM does it.

Of accounts that Berth does not have it knows nobody, and takes what is said of them as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, bindparam, func, literal_column, select, union_all

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import MalformedPolicyDocument
from berth.identity.arns import IdentityArn, SessionArn
from berth.identity.directory import names
from berth.identity.documents import trust_document
from berth.identity.documents.policy import NamedPrincipal, PolicyDocument
from berth.schema import accounts, identities

# The paths of users and roles, by account, kind and name.
Coming = Mapping[tuple[str, str, str], str]
_ACCOUNTS = bindparam("accounts", type_=ARRAY(Text))
_KNOWN = Question(
    union_all(
        select(accounts.c.id, literal_column("'account'").label("kind"), accounts.c.id.label("path"), accounts.c.name)
        .where(accounts.c.id == func.any(_ACCOUNTS)),
        select(identities.c.account, identities.c.kind, identities.c.path, identities.c.name).where(
            identities.c.account == func.any(_ACCOUNTS),
            identities.c.folded_name == func.any(bindparam("folded", type_=ARRAY(Text))),
        ),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A user or a role that is named; without a path, by its sessions."""

    principal: NamedPrincipal
    account: str
    kind: str
    path: str | None
    name: str


async def check(database: Database, policy: PolicyDocument, coming: Coming | None = None) -> None:
    """Raises MalformedPolicyDocument for somebody who is not there, nor will be."""
    everybody = list(named(policy))
    if not everybody:
        return
    folded = [names.folded(each.name) for each in everybody]
    rows = await database.ask(_KNOWN, accounts=[each.account for each in everybody], folded=folded)
    here = {row["id"] for row in rows if row["kind"] == "account"}
    paths = {(row["id"], row["kind"], row["name"]): row["path"] for row in rows} | dict(coming or {})
    for each in everybody:
        path = paths.get((each.account, each.kind, each.name))
        if each.account in here and (path is None or each.path not in (path, None)):
            raise MalformedPolicyDocument(trust_document.invalid_principal(each.principal.kind, each.principal.name))


def named(policy: PolicyDocument) -> Iterator[Named]:
    for statement in policy.statements:
        for principal in (*statement.principals, *statement.not_principals):
            identity, session = IdentityArn.parse(principal.name), SessionArn.parse(principal.name)
            if principal.kind == "AWS" and identity is not None:
                yield Named(principal, identity.account, identity.kind, identity.path, identity.name)
            elif principal.kind == "AWS" and session is not None:
                yield Named(principal, session.account, "role", None, session.role)
