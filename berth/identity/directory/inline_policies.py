"""Inline policies: each belongs to one user, group or role (IAM user guide, "Managed policies and inline policies")."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import NoSuchEntity
from berth.identity.arns import Kind
from berth.identity.directory import identities, names
from berth.identity.directory.identities import Identity
from berth.identity.documents import identity_document, policy_sizes
from berth.schema import inline_policies as table

_NAMES = Question(select(table.c.name).where(table.c.identity_id == bindparam("id")).order_by(table.c.name))
_DOCUMENT = Question(
    select(table.c.document).where(table.c.identity_id == bindparam("id"), table.c.name == bindparam("name"))
)


async def put(database: Database, account: str, kind: Kind, owner: str, name: str, document: str) -> None:
    """Let the policy of that name say this, whether it is there or not.

    Raises ValidationError, MalformedPolicyDocument, NoSuchEntity, PolicyTooLarge.
    """
    names.check_name(name, "policyName")
    identity_document.parse(document)
    async with database.transaction() as connection:
        identity = await identities.locked(connection, account, kind, owner)
        others = select(table.c.document).where(table.c.identity_id == identity.id, table.c.name != name)
        texts = list(await connection.scalars(others))
        policy_sizes.check_inline(kind, identity.name, [*texts, document])
        putting = insert(table).values(identity_id=identity.id, name=name, document=document)
        await connection.execute(
            putting.on_conflict_do_update(index_elements=("identity_id", "name"), set_={"document": document})
        )
        await changes.tell_of(connection, changes.of_identity(identity.id))


async def get(database: Database, identity: Identity, name: str) -> str:
    """The document. Raises NoSuchEntity."""
    rows = await database.ask(_DOCUMENT, id=identity.id, name=name)
    if not rows:
        raise _missing(identity.kind, name)
    document: str = rows[0]["document"]
    return document


async def all_of(database: Database, identity: Identity) -> list[str]:
    """Their names, in order."""
    return [row["name"] for row in await database.ask(_NAMES, id=identity.id)]


async def remove(database: Database, account: str, kind: Kind, owner: str, name: str) -> None:
    """Raises NoSuchEntity."""
    async with database.transaction() as connection:
        identity = await identities.locked(connection, account, kind, owner)
        gone = await connection.execute(delete(table).where(table.c.identity_id == identity.id, table.c.name == name))
        if not gone.rowcount:
            raise _missing(kind, name)
        await changes.tell_of(connection, changes.of_identity(identity.id))


def _missing(kind: Kind, name: str) -> NoSuchEntity:
    return NoSuchEntity.named(f"{kind} policy", name)
