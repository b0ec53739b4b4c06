"""Which policies a principal brings along: one question, whose answer also says whether it is still there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ARRAY, Text, any_, bindparam, func, literal_column, null, select, union_all

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.identity.directory import aws_policies, names
from berth.identity.directory.service_control import FULL_ACCESS_TEXT
from berth.identity.principals import Kind, Principal
from berth.schema import access_keys, accounts, group_members, identities, inline_policies, policies
from berth.schema import policy_attachments as attachments
from berth.schema import policy_versions as versions
from berth.schema import service_control_policies as controls

# The name of a policy (an ARN, or the name of an inline policy) and its text.
Named = tuple[str, str]

# What the root allows whom it makes a federated user, which their session policies limit.
_ROOTS: tuple[Named, ...] = (("the root", FULL_ACCESS_TEXT),)
_ID = bindparam("identity", type_=Text)
_ACCOUNT = bindparam("account", type_=Text)
_NOTHING = null().cast(Text)


def _part(what: str) -> Any:
    return literal_column(f"'{what}'").label("what")


# Those whose policies the principal has, as an array: a list of unknown length is looked for row by row, not by reading
# the whole table.
_HOLDERS = union_all(
    select(identities.c.id).where(identities.c.id == _ID),
    select(group_members.c.group_id).where(group_members.c.user_id == _ID),
).cte("holders")
_ANY_HOLDER = any_(func.array(select(_HOLDERS.c.id).scalar_subquery(), type_=ARRAY(Text)))
# The managed policies by their ARNs, and what they are to the principal.
_MANAGED = union_all(
    select(_part("identity"), attachments.c.policy_arn.label("arn")).where(attachments.c.identity_id == _ANY_HOLDER),
    select(_part("boundary"), identities.c.boundary).where(identities.c.id == _ID, identities.c.boundary.is_not(None)),
    select(_part("session"), func.unnest(bindparam("session_arns", type_=ARRAY(Text)))),
).cte("managed")
_NAME_OF_MANAGED = func.lower(func.substring(_MANAGED.c.arn, "[^/]*$"))
_ARN_OF_POLICY = func.concat("arn:aws:iam::", policies.c.account, ":policy", policies.c.path, policies.c.name)
_OWN = Question(
    union_all(
        select(_part("account"), accounts.c.id.label("name"), _NOTHING.label("document"), _NOTHING.label("tags")).where(
            accounts.c.id == _ACCOUNT, accounts.c.closed_at.is_(None)
        ),
        select(_part("key"), access_keys.c.id, _NOTHING, _NOTHING).where(
            access_keys.c.id == bindparam("key", type_=Text),
            access_keys.c.account == _ACCOUNT,
            access_keys.c.user_id.is_not_distinct_from(_ID),
            access_keys.c.status == "Active",
        ),
        select(
            _part("itself"), identities.c.path + identities.c.name, identities.c.kind, identities.c.tags.cast(Text)
        ).where(identities.c.id == _ID),
        select(_part("holder"), _HOLDERS.c.id, _NOTHING, _NOTHING),
        select(_part("identity"), inline_policies.c.name, inline_policies.c.document, _NOTHING).where(
            inline_policies.c.identity_id == _ANY_HOLDER
        ),
        select(_MANAGED.c.what, _MANAGED.c.arn, versions.c.document, _NOTHING)
        .outerjoin(
            policies,
            (policies.c.account == _ACCOUNT)
            & (policies.c.folded_name == _NAME_OF_MANAGED)
            & (_MANAGED.c.arn == _ARN_OF_POLICY),
        )
        .outerjoin(
            versions, (versions.c.policy_id == policies.c.id) & (versions.c.version == policies.c.default_version)
        ),
        select(_part("control"), controls.c.name, controls.c.document, _NOTHING).where(controls.c.account == _ACCOUNT),
    )
)


@dataclass(frozen=True, slots=True)
class Own:
    """What was found of a principal. Without a boundary, without session policies or controls, nothing limits by them.

    `arn` is that of the user, the role or the root, `name` its name; `subjects` are whose changes change any of it.
    """

    arn: str
    name: str
    tags: Mapping[str, str]
    identity: Sequence[Named]
    boundary: Sequence[Named] | None
    session: Sequence[Named] | None
    control: Sequence[Named] | None
    subjects: tuple[str, ...] = field(repr=False)

    def texts(self) -> list[str]:
        of_all = (self.identity, self.boundary or (), self.session or (), self.control or ())
        return [text for each in of_all for _, text in each]


async def find(database: Database, principal: Principal) -> Own | None:
    """None where the access key, the user or the role, or the account is not there any more, or may not be used."""
    session = principal.session
    rows = await database.ask(
        _OWN,
        account=principal.account,
        key=principal.access_key_id if session is None else None,
        identity=principal.identity_id,
        session_arns=list(session.policy_arns) if session is not None else [],
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["what"]].append(row)
    missing = not found["account"] or (session is None and not found["key"])
    if missing or (principal.identity_id is not None and not found["itself"]):
        return None
    return _own(principal, found)


def _own(principal: Principal, found: dict[str, list[Any]]) -> Own:
    arn, name = f"arn:aws:iam::{principal.account}:root", ""
    tags: dict[str, str] = {}
    for row in found["itself"]:
        arn = names.arn(principal.account, row["document"], "", row["name"])
        name, tags = row["name"].rpartition("/")[2], orjson.loads(row["tags"])
    return Own(
        arn=arn,
        name=name,
        tags=tags,
        identity=_ROOTS if _acts_for_root(principal) else _named(found["identity"]),
        boundary=_named(found["boundary"]) if found["boundary"] else None,
        session=_of_session(principal, found["session"]),
        control=_named(found["control"]) if found["control"] else None,
        subjects=_subjects(principal, found),
    )


def _acts_for_root(principal: Principal) -> bool:
    """The root itself needs no policies."""
    return principal.kind is Kind.FEDERATED_USER and principal.identity_id is None


def _of_session(principal: Principal, managed: list[Any]) -> list[Named] | None:
    session = principal.session
    if session is None or not (session.policies or session.policy_arns):
        return None
    return [*(("", text) for text in session.policies), *_named(managed)]


def _named(rows: list[Any]) -> list[Named]:
    """Those whose texts are there: in the row, or in what is known of AWS's policies."""
    texts = ((row["name"], row["document"] or aws_policies.document(row["name"])) for row in rows)
    return [(name, text) for name, text in texts if text is not None]


def _subjects(principal: Principal, found: dict[str, list[Any]]) -> tuple[str, ...]:
    of_holders = [changes.of_identity(row["name"]) for row in found["holder"]]
    managed = [row["name"] for what in ("identity", "boundary", "session") for row in found[what]]
    of_policies = [changes.of_policy(arn) for arn in managed if arn.startswith("arn:")]
    of_key = [] if principal.session is not None else [changes.of_key(principal.access_key_id)]
    return (changes.of_account(principal.account), *of_key, *of_holders, *of_policies)
