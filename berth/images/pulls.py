"""Pulls: the manifests of images, for those who ask for them, and the note of when they did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, func, not_, select, update

from berth import repositories, schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import ManifestsTooLong
from berth.identity.principals import Principal
from berth.images.descriptions import NAMED_IMAGES, TAGS
from berth.images.storage_classes import StorageClass
from berth.names import Digest, Registry, Tag
from berth.registries import pull_time_exclusions
from berth.repositories import NAMED
from berth.schema import images, tags

# ECR API reference, "ImageDetail", `lastRecordedPullTime`: refreshed at least every 24 hours; here, every hour.
PULL_TIME_GRAIN = timedelta(hours=1)
# Of manifests handed out in one answer: far more than a hundred ordinary ones have, and four of the largest.
MOST_BYTES = 16 * 1024 * 1024
ARCHIVED = "Requested image is archived: restore it by UpdateImageStorageClass, or push it again"


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest that a repository holds, byte for byte as it was put."""

    repository_id: int
    digest: Digest
    media_type: str
    content: bytes
    subject: Digest | None
    last_pulled_at: datetime | None
    # Then it is not to be handed out.
    is_archived: bool


_FACTS = (
    images.c.repository_id,
    images.c.digest,
    images.c.media_type,
    images.c.subject,
    images.c.last_pulled_at,
    images.c.storage_class,
)
_COLUMNS = (*_FACTS, images.c.manifest)
_of_repository = images.c.repository_id == schema.repositories.c.id
_tagged = and_(tags.c.repository_id == schema.repositories.c.id, tags.c.tag == bindparam("tag"))
_BY_DIGEST = Question(
    select(*_COLUMNS)
    .select_from(schema.repositories.outerjoin(images, and_(_of_repository, images.c.digest == bindparam("digest"))))
    .where(NAMED)
)
_BY_TAG = Question(
    select(*_COLUMNS)
    .select_from(
        schema.repositories.outerjoin(tags, _tagged).outerjoin(
            images, and_(_of_repository, images.c.digest == tags.c.digest)
        )
    )
    .where(NAMED)
)
# Archived ones are not handed out.
_is_archived = images.c.storage_class == StorageClass.ARCHIVE
_total = func.coalesce(func.sum(func.octet_length(images.c.manifest)).filter(not_(_is_archived)).over(), 0)
_BY_NAME = Question(
    select(
        *_FACTS,
        case((_is_archived, b""), (_total <= MOST_BYTES, images.c.manifest)).label("manifest"),
        TAGS,
    )
    .select_from(NAMED_IMAGES)
    .where(NAMED)
)


async def find(database: Database, registry: Registry, name: str, reference: Tag | Digest) -> StoredManifest | None:
    """The image of that tag or digest. Raises RepositoryNotFound."""
    if isinstance(reference, Digest):
        rows = await repositories.ask(database, _BY_DIGEST, registry, name, digest=reference)
    else:
        rows = await repositories.ask(database, _BY_TAG, registry, name, tag=reference)
    return _stored(rows[0]) if rows else None


async def find_named(
    database: Database, registry: Registry, name: str, digests: Sequence[str], tag_names: Sequence[str]
) -> dict[str, tuple[StoredManifest, tuple[Tag, ...]]]:
    """The images of these digests and tags, those that there are, by digest, each with all its tags.

    Those that are archived come without their manifests.

    Raises RepositoryNotFound, and ManifestsTooLong where their manifests come to more than MOST_BYTES.
    """
    rows = await repositories.ask(database, _BY_NAME, registry, name, digests=digests, tags=tag_names)
    if any(row["manifest"] is None for row in rows):
        raise ManifestsTooLong(MOST_BYTES)
    return {row["digest"]: (_stored(row), tuple(Tag(tag) for tag in row["tags"])) for row in rows}


def noted_until(image: StoredManifest) -> float:
    """Until when another pull of the image need not be noted, in seconds since 1970."""
    return 0.0 if image.last_pulled_at is None else (image.last_pulled_at + PULL_TIME_GRAIN).timestamp()


async def record(database: Database, principal: Principal, pulled: Iterable[StoredManifest]) -> bool:
    """Note that these images of one repository were pulled now, those whose last note is an hour old.

    Unless the pulls of the principal do not count. Whether anything was noted.
    """
    earliest = datetime.now(UTC) - PULL_TIME_GRAIN
    due = [image for image in pulled if image.last_pulled_at is None or image.last_pulled_at < earliest]
    if not due:
        return False
    digests = sorted({image.digest for image in due})
    mine = and_(images.c.repository_id == due[0].repository_id, images.c.digest.in_(digests))
    counts = not_(pull_time_exclusions.excludes(principal, images.c.repository_id))
    async with database.transaction() as connection:
        noted = await connection.execute(update(images).where(mine, counts).values(last_pulled_at=func.now()))
    return bool(noted.rowcount)


def _stored(row: Any) -> StoredManifest:
    return StoredManifest(
        repository_id=row["repository_id"],
        digest=Digest(row["digest"]),
        media_type=row["media_type"],
        content=row["manifest"],
        subject=None if row["subject"] is None else Digest(row["subject"]),
        last_pulled_at=row["last_pulled_at"],
        is_archived=row["storage_class"] == StorageClass.ARCHIVE,
    )
