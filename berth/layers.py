"""Which repository holds which layer. (A config is a layer too: in the ECR API everything but a manifest is one.)"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ARRAY,
    Text,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import account_settings, repositories, schema
from berth.db import Database
from berth.names import Digest, Registry
from berth.questions import Question
from berth.repositories import NAMED, Repository, hold
from berth.schema import image_references, layers, repository_layers

# ECR API reference, "Layer", `mediaType`: what a layer is until an image says more.
DEFAULT_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"

ARCHIVED = "all images that need it are archived: restore one by UpdateImageStorageClass, or push it again"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that a repository holds; `size` in bytes."""

    digest: Digest
    size: int
    media_type: str = DEFAULT_MEDIA_TYPE
    # Whether an image needs it; others may be cleaned up at any time.
    has_image: bool = False
    # Whether all images that need it are archived, and nobody pushed it again since.
    is_archived: bool = False


# Of the images that need a layer, an active one, or else the one that was archived last.
_IMAGE = (
    select(image_references.c.digest, image_references.c.media_type, image_references.c.archived_at)
    .where(
        image_references.c.repository_id == repository_layers.c.repository_id,
        image_references.c.referenced == repository_layers.c.digest,
    )
    .order_by(image_references.c.archived_at.desc())
    .limit(1)
    .correlate(repository_layers)
)
_IS_ARCHIVED = (
    _IMAGE.with_only_columns(image_references.c.archived_at).scalar_subquery() > repository_layers.c.linked_at
)

_image = _IMAGE.lateral("image")
_HELD = Question(
    select(
        repository_layers.c.digest,
        repository_layers.c.size,
        _image.c.media_type,
        _image.c.digest.is_not(None).label("has_image"),
        func.coalesce(_image.c.archived_at > repository_layers.c.linked_at, false()).label("is_archived"),
    )
    .select_from(
        schema.repositories.outerjoin(
            repository_layers,
            and_(
                repository_layers.c.repository_id == schema.repositories.c.id,
                repository_layers.c.digest == any_(bindparam("digests", type_=ARRAY(Text))),
            ),
        ).outerjoin(_image, true())
    )
    .where(NAMED)
)


async def find(database: Database, registry: Registry, name: str, digest: Digest) -> Layer | None:
    """The layer, where the repository holds it. Raises RepositoryNotFound."""
    return (await find_all(database, registry, name, [digest])).get(digest)


async def find_all(database: Database, registry: Registry, name: str, digests: Sequence[str]) -> dict[str, Layer]:
    """Those of `digests` that the repository holds, by digest, with the media type that an image gives each.

    Raises RepositoryNotFound.
    """
    rows = await repositories.ask(database, _HELD, registry, name, digests=digests)
    return {
        row["digest"]: Layer(
            Digest(row["digest"]),
            row["size"],
            row["media_type"] or DEFAULT_MEDIA_TYPE,
            row["has_image"],
            row["is_archived"],
        )
        for row in rows
    }


async def link(connection: AsyncConnection, repository: Repository, digest: Digest, size: int) -> bool:
    """Tell that the repository holds a layer whose bytes are durable; False where it did already.

    One that is archived is there again. Raises RepositoryNotFound where the repository is gone by now.
    """
    registry = repository.registry
    held = await hold(connection, registry, repository.name)
    bytes_row = {"account": registry.account, "region": registry.region, "digest": digest, "size": size}
    await connection.execute(insert(layers).values(bytes_row).on_conflict_do_nothing())
    linked = insert(repository_layers).values(repository_id=held.id, digest=digest, size=size)
    made = await connection.execute(linked.on_conflict_do_nothing().returning(repository_layers.c.digest))
    if made.one_or_none() is not None:
        return True
    mine = and_(repository_layers.c.repository_id == held.id, repository_layers.c.digest == digest)
    again = update(repository_layers).where(mine, _IS_ARCHIVED).values(linked_at=func.now())
    return (await connection.execute(again.returning(repository_layers.c.digest))).one_or_none() is not None


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
        .where(_IS_ARCHIVED.is_not(true()), not_(account_settings.forbids_mounting(target.registry)))
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
