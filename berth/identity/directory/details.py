"""All that several users, groups and roles have, at once: for those who audit an account."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ARRAY, Text, bindparam, func, literal_column, null, select, union_all

from berth.database.db import Database
from berth.database.questions import Question
from berth.schema import group_members, identities, inline_policies, policy_attachments

_IDS = bindparam("ids", type_=ARRAY(Text))
_HELD = Question(
    union_all(
        select(
            literal_column("'inline'").label("what"),
            inline_policies.c.identity_id.label("id"),
            inline_policies.c.name.label("name"),
            inline_policies.c.document.label("document"),
        ).where(inline_policies.c.identity_id == func.any(_IDS)),
        select(
            literal_column("'attached'"),
            policy_attachments.c.identity_id,
            policy_attachments.c.policy_arn,
            null().cast(Text),
        ).where(policy_attachments.c.identity_id == func.any(_IDS)),
        select(literal_column("'group'"), group_members.c.user_id, identities.c.name, null().cast(Text))
        .join(identities, identities.c.id == group_members.c.group_id)
        .where(group_members.c.user_id == func.any(_IDS)),
    ).order_by("name")
)


@dataclass(slots=True)
class Held:
    """`inline`: the documents by the names of the policies; `attached`: ARNs; `groups`: their names, of a user."""

    inline: dict[str, str] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


async def held(database: Database, ids: Sequence[str]) -> Mapping[str, Held]:
    """By the ids of users, groups and roles, of each what it has."""
    found: defaultdict[str, Held] = defaultdict(Held)
    for row in await database.ask(_HELD, ids=list(ids)):
        one = found[row["id"]]
        if row["what"] == "inline":
            one.inline[row["name"]] = row["document"]
        else:
            (one.attached if row["what"] == "attached" else one.groups).append(row["name"])
    return {identity_id: found[identity_id] for identity_id in ids}
