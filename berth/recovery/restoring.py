"""Chosen deleted images become images again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, any_, case, delete, distinct, func, literal, null, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.errors import listed
from berth.images.storage_classes import StorageClass
from berth.names import Digest, Registry, Tag
from berth.recovery.choosing import CannotRestore, Chosen, choose
from berth.recovery.deleted_images import IMAGE, REFERENCE
from berth.repositories import Repository, hold
from berth.schema import (
    deleted_image_references,
    deleted_images,
    image_references,
    images,
    layers,
    repository_layers,
    tags,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """An image that came back (or had been pushed again), with these tags; `taken` are now another image's."""

    digest: Digest
    tags: tuple[Tag, ...]
    taken: tuple[Tag, ...]
    is_back: bool


_deleted, _edges = deleted_images.c, deleted_image_references.c
_joined = deleted_images.join(deleted_image_references, _edges.deleted_image_id == _deleted.id)


async def restore(
    database: Database, registry: Registry, name: str, wanted: Collection[Digest | Tag] | None
) -> list[Restored]:
    """Bring back the deleted images that are `wanted` (None: all) and those that they need: all of them, or none.

    A tag that is on another image now stays there. Raises RepositoryNotFound, CannotRestore.
    """
    async with database.transaction() as connection:
        # In the order of everybody: repository, (deleted images), links, images, tags. The bytes are there for as long
        # as there are the deleted images, which the transaction holds, and then because of the links.
        repository = await hold(connection, registry, name)
        chosen = await choose(connection, repository, wanted)
        last, all_ = _any([one.last for one in chosen]), _any([id_ for one in chosen for id_ in one.deletions])
        await _link(connection, repository, last)
        back = await _insert(connection, repository, last)
        await _check_references(connection, repository, last)
        held = await _tag(connection, repository, all_)
        await connection.execute(delete(deleted_images).where(_deleted.id == all_))
        # They may be referrers.
        await changes.tell(connection, repository)
    return [_told(one, one.digest in back, held) for one in chosen]


def _told(chosen: Chosen, is_back: bool, held: dict[str, str]) -> Restored:
    mine = sorted(tag for tag in chosen.tags if held.get(tag) == chosen.digest)
    return Restored(chosen.digest, tuple(mine), tuple(sorted({*chosen.tags} - {*mine})), is_back)


def _any(ids: Sequence[int]) -> Any:
    return any_(literal(list(ids), ARRAY(BigInteger)))


async def _link(connection: AsyncConnection, repository: Repository, ids: Any) -> None:
    """Let the repository hold again what the images need."""
    is_layer = (_deleted.id == ids, _edges.deleted_image_id == ids, _edges.kind == "layer")
    source = (
        select(
            literal(repository.id, BigInteger),
            _edges.referenced,
            func.max(layers.c.size),
            # Before it was archived, if it was.
            func.min(_deleted.pushed_at),
            null(),
        )
        .select_from(
            _joined.join(
                layers,
                (layers.c.account == _deleted.account)
                & (layers.c.region == _deleted.region)
                & (layers.c.digest == _edges.referenced),
            )
        )
        .where(*is_layer)
        .group_by(_edges.referenced)
        .order_by(_edges.referenced)
    )
    statement = insert(repository_layers).from_select(
        ["repository_id", "digest", "size", "linked_at", "unused_since"], source
    )
    linked = await connection.scalars(
        statement.on_conflict_do_update(
            index_elements=["repository_id", "digest"], set_={"unused_since": None}
        ).returning(repository_layers.c.digest)
    )
    count = await connection.scalar(
        select(func.count(distinct(_edges.referenced))).select_from(_joined).where(*is_layer)
    )
    if len(linked.all()) != count:
        raise CannotRestore("some layers of these images are lost: see `berth store verify`")


async def _insert(connection: AsyncConnection, repository: Repository, ids: Any) -> set[str]:
    """The digests of the images that came back; others have been pushed again meanwhile."""
    source = select(literal(repository.id, BigInteger), *(_deleted[name] for name in IMAGE)).where(_deleted.id == ids)
    statement = insert(images).from_select(["repository_id", *IMAGE], source.order_by(_deleted.digest))
    back = {*await connection.scalars(statement.on_conflict_do_nothing().returning(images.c.digest))}
    edges = (
        select(
            literal(repository.id, BigInteger),
            _deleted.digest,
            *(_edges[name] for name in REFERENCE),
            case((_deleted.storage_class == StorageClass.ARCHIVE, _deleted.archived_at)),
        )
        .select_from(_joined)
        .where(_deleted.id == ids, _edges.deleted_image_id == ids)
        .where(_deleted.digest == any_(literal(sorted(back), ARRAY(Text))))
    )
    names = ["repository_id", "digest", *REFERENCE, "archived_at"]
    await connection.execute(insert(image_references).from_select(names, edges))
    return back


async def _check_references(connection: AsyncConnection, repository: Repository, ids: Any) -> None:
    """Check that an index has all of its images, and an active one active images; and keep it so."""
    question = (
        select(_edges.referenced, func.bool_or(_deleted.storage_class == StorageClass.STANDARD))
        .select_from(_joined)
        .where(_deleted.id == ids, _edges.deleted_image_id == ids, _edges.kind == "image")
        .group_by(_edges.referenced)
    )
    active = dict((await connection.execute(question)).all())
    locked = select(images.c.digest, images.c.storage_class).where(
        images.c.repository_id == repository.id, images.c.digest == any_(literal(sorted(active), ARRAY(Text)))
    )
    ordered = locked.order_by(images.c.digest).with_for_update(read=True)
    there = dict((await connection.execute(ordered)).all())
    if missing := sorted(active.keys() - there.keys()):
        raise CannotRestore(f"indexes need images that are just being deleted, try again: {listed(missing)}")
    archived = sorted(digest for digest in there if active[digest] and there[digest] == StorageClass.ARCHIVE)
    if archived:
        raise CannotRestore(
            f"active indexes need images that are archived: {listed(archived)}; bring them back alone if they are"
            " deleted, and out of the archive by `aws ecr update-image-storage-class`"
        )


async def _tag(connection: AsyncConnection, repository: Repository, ids: Any) -> dict[str, str]:
    """Put the tags back that are free, and tell on which image each tag is now; of two, the last deleted gets it."""
    each = select(_deleted.id, _deleted.digest, func.unnest(_deleted.tags).label("tag")).where(_deleted.id == ids)
    had = each.subquery()
    source = (
        select(literal(repository.id, BigInteger), had.c.tag, had.c.digest)
        .ext(distinct_on(had.c.tag))
        .order_by(had.c.tag, had.c.id.desc())
    )
    statement = insert(tags).from_select(["repository_id", "tag", "digest"], source)
    await connection.execute(statement.on_conflict_do_nothing())
    now = select(tags.c.tag, tags.c.digest).where(
        tags.c.repository_id == repository.id, tags.c.tag.in_(select(had.c.tag))
    )
    return dict((await connection.execute(now)).all())
