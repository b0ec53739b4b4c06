"""The layers that a repository holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, Text, and_, any_, bindparam, false, func, select, true

from berth import repositories, schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.names import Digest, Registry
from berth.repositories import NAMED
from berth.schema import image_references, repository_layers

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
    # Of the repository that holds it; 0 where nobody asked for it.
    repository_id: int = 0
    # Since when it may be that no image needs it; None where one was seen to.
    unused_since: datetime | None = None


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
IS_ARCHIVED = _IMAGE.with_only_columns(image_references.c.archived_at).scalar_subquery() > repository_layers.c.linked_at

_image = _IMAGE.lateral("image")
_HELD = Question(
    select(
        repository_layers.c.repository_id,
        repository_layers.c.digest,
        repository_layers.c.size,
        repository_layers.c.unused_since,
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
            row["repository_id"],
            row["unused_since"],
        )
        for row in rows
    }
