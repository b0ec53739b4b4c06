"""When an image was pushed: what decides which rules of its registry it came under."""

from dataclasses import dataclass
from datetime import datetime

from berth.database.db import Database
from berth.errors import ImageNotFound
from berth.images.descriptions import fields_of
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.schema import images


@dataclass(frozen=True, slots=True)
class PushedImage:
    repository: RepositoryName
    digest: Digest
    pushed_at: datetime


async def find(
    database: Database, registry: Registry, name: str, digest: Digest | None, tag: Tag | None
) -> PushedImage:
    """The image of this digest and this tag, of which one may be None. Raises RepositoryNotFound, ImageNotFound."""
    row = await fields_of(database, registry, name, digest, tag, images.c.pushed_at)
    if row is None:
        raise ImageNotFound(registry, name, digest, tag)
    return PushedImage(RepositoryName(name), Digest(row.digest), row.pushed_at)
