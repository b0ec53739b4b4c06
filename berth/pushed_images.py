"""When an image was pushed: what decides which rules of its registry it came under."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from berth.db import Database
from berth.errors import ImageNotFound, RepositoryNotFound
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.repositories import named
from berth.schema import images, repositories, tags


@dataclass(frozen=True, slots=True)
class PushedImage:
    repository: RepositoryName
    digest: Digest
    pushed_at: datetime


async def find(
    database: Database, registry: Registry, name: str, digest: Digest | None, tag: Tag | None
) -> PushedImage:
    """The image of this digest and this tag, of which one may be None. Raises RepositoryNotFound, ImageNotFound."""
    image = images.c.repository_id == repositories.c.id
    if tag is None:
        source = repositories.outerjoin(images, and_(image, images.c.digest == digest))
    else:
        tagged = and_(tags.c.repository_id == repositories.c.id, tags.c.tag == tag)
        source = repositories.outerjoin(tags, tagged).outerjoin(images, and_(image, images.c.digest == tags.c.digest))
    question = select(images.c.digest, images.c.pushed_at).select_from(source).where(named(registry, name))
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        raise RepositoryNotFound(registry, name)
    if row.digest is None or digest not in (None, row.digest):
        raise ImageNotFound(registry, name, digest, tag)
    return PushedImage(RepositoryName(name), Digest(row.digest), row.pushed_at)
