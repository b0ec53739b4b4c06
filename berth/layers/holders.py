"""The repositories of a registry that hold a layer."""

from sqlalchemy import bindparam, select

from berth.database.db import Database
from berth.database.questions import Question
from berth.names import Digest, Registry, RepositoryName
from berth.repositories import OF_REGISTRY
from berth.schema import repositories, repository_layers

_HOLDERS = Question(
    select(repositories.c.name)
    .select_from(repository_layers.join(repositories, repositories.c.id == repository_layers.c.repository_id))
    .where(repository_layers.c.digest == bindparam("digest"), OF_REGISTRY)
    .limit(bindparam("limit"))
)


async def holders(database: Database, registry: Registry, digest: Digest, *, limit: int) -> list[RepositoryName]:
    """At most `limit` of the repositories that hold the layer, in no order."""
    rows = await database.ask(_HOLDERS, digest=digest, account=registry.account, region=registry.region, limit=limit)
    return [RepositoryName(row["name"]) for row in rows]
