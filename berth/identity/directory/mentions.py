"""Trust policies name users and roles by ARN, and mean them by their unique ids, as IAM does.

So who is renamed stays trusted, and who is deleted is trusted no more, even if another is made by the same name: in
place of the ARN then stands the id (IAM user guide, "AWS JSON policy elements: Principal", "IAM user principals").
"""

import json

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.identity.documents import grammar
from berth.schema import identities


def plain(document: str) -> str:
    """The same policy, with its ARNs as they are, not escaped as JSON allows (`user\\/bob`)."""
    return json.dumps(json.loads(document), ensure_ascii=False) if "\\" in document else document


async def replace(connection: AsyncConnection, arn: str, new: str) -> None:
    """In all trust policies, let `new` stand where this ARN of a user or a role stood as a principal."""
    mentioning = select(identities.c.id, identities.c.trust_policy).where(
        identities.c.kind == "role", func.strpos(identities.c.trust_policy, json.dumps(arn)) > 0
    )
    found = (await connection.execute(mentioning.with_for_update(key_share=True))).all()
    for role_id, document in found:
        changing = update(identities).where(identities.c.id == role_id)
        await connection.execute(changing.values(trust_policy=_replaced(document, arn, new)))
        await changes.tell_of(connection, changes.of_identity(role_id))


def _replaced(document: str, arn: str, new: str) -> str:
    """Its conditions, which may name the ARN too, stay as they are."""
    policy = json.loads(document)
    for entry in grammar.entries(policy):
        for member in ("Principal", "NotPrincipal"):
            named = entry.get(member)
            if isinstance(named, dict) and "AWS" in named:
                names = [new if name == arn else name for name in grammar.listed(named["AWS"])]
                named["AWS"] = names if isinstance(named["AWS"], list) else names[0]
    return json.dumps(policy, ensure_ascii=False)
