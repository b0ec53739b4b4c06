"""Referrers: the images whose subject is another one, such as signatures, SBOMs and attestations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import asyncpg
from sqlalchemy import ARRAY, Text, bindparam, func, select, true

from berth import schema
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import RepositoryNotFound
from berth.images.lists import Filter, of_status
from berth.images.storage_classes import ImageStatus
from berth.names import Digest, Registry
from berth.repositories import NAMED, naming
from berth.schema import images

# Of the manifests on one page, for their annotations may be most of them: the next begins where these have come to it.
PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Referrer:
    """An image whose subject is another one; `size` of its manifest in bytes."""

    digest: Digest
    media_type: str
    artifact_type: str | None
    size: int
    annotations: Mapping[str, str]
    status: ImageStatus


@dataclass(frozen=True, slots=True)
class Page:
    """Referrers in the order of their digests, and whether more come after them; `repository_id`: the repository's."""

    repository_id: int
    referrers: tuple[Referrer, ...]
    goes_on: bool


async def page(
    database: Database,
    registry: Registry,
    name: str,
    subject: Digest,
    *,
    artifact_types: Sequence[str] = (),
    status: ImageStatus | None = ImageStatus.ACTIVE,
    after: str = "",
    limit: int,
) -> Page:
    """At most `limit` images whose subject is `subject`, in the order of their digests, after `after`.

    Fewer where their manifests are large, but at least one. Those of these artifact types (none: of any) and of this
    status (None: of any). The subject need not be there.
    OCI Distribution 1.1, "Listing Referrers". Raises RepositoryNotFound.
    """
    chosen = Filter(image_status=status)
    given = {"subject": subject, "after": after, "limit": limit + 1, **chosen.parameters}
    if artifact_types:
        given["artifact_types"] = list(dict.fromkeys(artifact_types))
    question = _page(chosen, of_a_type=bool(artifact_types))
    rows = await database.ask(question, **naming(registry, name), **given)
    if not rows:
        raise RepositoryNotFound(registry, name)
    found = [_referrer(row) for row in rows[:limit] if row["digest"] is not None]
    return Page(rows[0]["repository_id"], tuple(found), goes_on=len(found) < rows[0]["there_are"])


def _referrer(row: asyncpg.Record) -> Referrer:
    return Referrer(
        Digest(row["digest"]),
        row["media_type"],
        row["artifact_type"],
        row["size"],
        row["annotations"],
        ImageStatus.of(row["storage_class"]),
    )


@cache
def _page(chosen: Filter, *, of_a_type: bool) -> Question:
    page = (
        select(
            images.c.digest,
            images.c.media_type,
            images.c.artifact_type,
            func.octet_length(images.c.manifest).label("size"),
            images.c.annotations,
            images.c.storage_class,
        )
        .where(images.c.repository_id == schema.repositories.c.id, images.c.subject == bindparam("subject"))
        .where(images.c.digest > bindparam("after"), *of_status(chosen))
        .order_by(images.c.digest)
        .limit(bindparam("limit"))
    )
    if of_a_type:
        # A page of each type, so that the others are not read however many there are.
        kinds = func.unnest(bindparam("artifact_types", type_=ARRAY(Text))).table_valued("kind").render_derived()
        of_kind = (
            page.where(images.c.artifact_type == kinds.c.kind).correlate(schema.repositories, kinds).lateral("of_kind")
        )
        page = select(of_kind).select_from(kinds.join(of_kind, true()))
        page = page.order_by(of_kind.c.digest).limit(bindparam("limit"))
    found = page.lateral("page")
    before = func.sum(found.c.size).over(order_by=found.c.digest) - found.c.size
    all_ = (
        select(
            schema.repositories.c.id.label("repository_id"),
            found,
            func.coalesce(before, 0).label("before"),
            func.count(found.c.digest).over().label("there_are"),
        )
        .select_from(schema.repositories.outerjoin(found, true()))
        .where(NAMED)
        .subquery("all_")
    )
    return Question(select(all_).where(all_.c.before < PAGE_BYTES).order_by(all_.c.digest))
