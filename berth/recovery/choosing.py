"""Which deleted images are to come back: those that are asked for, and those that they need."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, and_, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.errors import listed
from berth.names import Digest, Tag
from berth.repositories import Repository
from berth.schema import deleted_image_references, deleted_images, images


class CannotRestore(Exception):
    """Nothing was restored; the text says why."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A deleted image that is to come back: its last deletion, and all that are known of, with the tags that it had.

    An image that was pushed again and deleted again has several.
    """

    digest: Digest
    last: int
    deletions: tuple[int, ...]
    tags: frozenset[Tag]


_deleted = deleted_images.c


async def choose(
    connection: AsyncConnection, repository: Repository, wanted: Collection[Digest | Tag] | None
) -> list[Chosen]:
    """The deleted images that are `wanted` (None: all), and those that they need and the repository has not.

    Collection leaves them alone until the transaction ends. Raises CannotRestore.
    """
    chosen: dict[str, Chosen] = {}
    looked_for = None if wanted is None else await _digests(connection, repository, wanted)
    while looked_for is None or looked_for:
        found = await _locked(connection, repository, looked_for)
        if looked_for is not None and (missing := {*looked_for} - {*found}):
            raise _not_found(repository, sorted(missing), needed=bool(chosen))
        chosen |= found
        looked_for = await _needed(connection, repository, found.values()) - {*chosen}
    return [chosen[digest] for digest in sorted(chosen)]


def _not_found(repository: Repository, digests: list[str], *, needed: bool) -> CannotRestore:
    if needed:
        return CannotRestore(
            f"the indexes need {listed(digests)}: neither in {repository.name} nor among its deleted images"
        )
    return CannotRestore(
        f"{listed(digests)}: no such deleted image of {repository.name}: it was not deleted, or longer ago than"
        " BERTH_RECOVERY_WINDOW says"
    )


def _of(repository: Repository) -> ColumnElement[bool]:
    """That a deleted image was in a repository of that name, be it this one or one before it."""
    registry = repository.registry
    return and_(
        _deleted.account == registry.account,
        _deleted.region == registry.region,
        _deleted.repository == repository.name,
    )


async def _digests(
    connection: AsyncConnection, repository: Repository, wanted: Collection[Digest | Tag]
) -> Collection[str]:
    """What is wanted, by digest: a tag means the image that was deleted last with it."""
    digests: set[str] = {one for one in wanted if isinstance(one, Digest)}
    for tag in sorted({one for one in wanted if isinstance(one, Tag)}):
        question = select(_deleted.digest).where(_of(repository), _deleted.tags.contains([tag]))
        digests.add(
            await connection.scalar(question.order_by(_deleted.deleted_at.desc(), _deleted.id.desc()).limit(1)) or tag
        )
    return digests


async def _locked(
    connection: AsyncConnection, repository: Repository, digests: Collection[str] | None
) -> dict[str, Chosen]:
    question = select(_deleted.id, _deleted.digest, _deleted.tags).where(_of(repository))
    if digests is not None:
        question = question.where(_deleted.digest == any_(literal(sorted(digests), ARRAY(Text))))
    found: dict[str, Chosen] = {}
    # The later a deletion, the greater its number.
    for id_, digest, tags in await connection.execute(question.order_by(_deleted.id).with_for_update()):
        before = found.get(digest, Chosen(Digest(digest), id_, (), frozenset()))
        found[digest] = Chosen(before.digest, id_, (*before.deletions, id_), before.tags | {Tag(tag) for tag in tags})
    return found


async def _needed(connection: AsyncConnection, repository: Repository, chosen: Iterable[Chosen]) -> set[str]:
    """The images that the chosen ones reference, and the repository does not have."""
    edges = deleted_image_references.c
    there = (
        select(images.c.digest)
        .where(images.c.repository_id == repository.id, images.c.digest == edges.referenced)
        .exists()
    )
    last = literal([one.last for one in chosen], ARRAY(BigInteger))
    question = select(edges.referenced).where(edges.deleted_image_id == any_(last), edges.kind == "image", ~there)
    return {*await connection.scalars(question)}
