"""Which repository holds which layer. (A config is a layer too: in the ECR API everything but a manifest is one.)"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, delete, exists, literal, not_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import account_settings
from berth.db import Database
from berth.errors import RepositoryNotFound
from berth.names import Digest, Registry
from berth.repositories import Repository, hold, named
from berth.schema import image_references, layers, repositories, repository_layers

# ECR API reference, "Layer", `mediaType`: what a layer is until an image says more.
DEFAULT_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that a repository holds; `size` in bytes."""

    digest: Digest
    size: int
    media_type: str = DEFAULT_MEDIA_TYPE


async def find(database: Database, registry: Registry, name: str, digest: Digest) -> Layer | None:
    """The layer, where the repository holds it. Raises RepositoryNotFound."""
    held = and_(repository_layers.c.repository_id == repositories.c.id, repository_layers.c.digest == digest)
    question = (
        select(repository_layers.c.size)
        .select_from(repositories.outerjoin(repository_layers, held))
        .where(named(registry, name))
    )
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    return None if row.size is None else Layer(digest, row.size)


async def find_all(database: Database, repository: Repository, digests: Collection[str]) -> dict[str, Layer]:
    """Those of `digests` that the repository holds, by digest, with the media type that an image gives each."""
    media_type = (
        select(image_references.c.media_type)
        .where(
            image_references.c.repository_id == repository.id,
            image_references.c.referenced == repository_layers.c.digest,
        )
        .limit(1)
        .scalar_subquery()
    )
    question = select(repository_layers.c.digest, repository_layers.c.size, media_type.label("media_type")).where(
        repository_layers.c.repository_id == repository.id, repository_layers.c.digest.in_(digests)
    )
    async with database.reading() as connection:
        return {
            row.digest: Layer(Digest(row.digest), row.size, row.media_type or DEFAULT_MEDIA_TYPE)
            for row in await connection.execute(question)
        }


async def link(connection: AsyncConnection, repository: Repository, digest: Digest, size: int) -> bool:
    """Tell that the repository holds a layer whose bytes are durable; False where it did already.

    Raises RepositoryNotFound where the repository is gone by now.
    """
    registry = repository.registry
    held = await hold(connection, registry, repository.name)
    bytes_row = {"account": registry.account, "region": registry.region, "digest": digest, "size": size}
    await connection.execute(insert(layers).values(bytes_row).on_conflict_do_nothing())
    linked = insert(repository_layers).values(repository_id=held.id, digest=digest, size=size)
    made = await connection.execute(linked.on_conflict_do_nothing().returning(repository_layers.c.digest))
    return made.one_or_none() is not None


async def mount(database: Database, source: Repository, target: Repository, digest: Digest) -> bool:
    """Let `target` hold what `source` holds, without copying a byte; False where `source` does not hold it.

    False, too, where the registry's settings forbid mounting. Both are of one registry: each registry keeps its own
    bytes. OCI Distribution 1.1, "Mounting a blob".
    """
    if source.registry != target.registry:
        return False
    held = (
        select(repository_layers.c.size)
        .where(repository_layers.c.repository_id == source.id, repository_layers.c.digest == digest)
        .where(not_(account_settings.forbids_mounting(target.registry)))
        .with_for_update(read=True, of=repository_layers)
    )
    async with database.transaction() as connection:
        size = await connection.scalar(held)
        if size is None:
            return False
        await link(connection, target, digest, size)
    return True


async def unlink(database: Database, repository: Repository, digest: Digest) -> bool | None:
    """Let the repository no longer hold the layer: True; None where it did not; False where an image needs it."""
    mine = and_(repository_layers.c.repository_id == repository.id, repository_layers.c.digest == digest)
    needed = exists().where(image_references.c.repository_id == repository.id, image_references.c.referenced == digest)
    async with database.transaction() as connection:
        locked = await connection.scalar(select(literal(1)).where(mine).with_for_update())
        if locked is None:
            return None
        if await connection.scalar(select(needed)):
            return False
        await connection.execute(delete(repository_layers).where(mine))
    return True
