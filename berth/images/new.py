"""Images that are new in every way, as most are that are pushed: put by one statement, durably."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Insert,
    LargeBinary,
    Text,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.images.manifests import Manifest
from berth.names import Registry, Tag
from berth.repositories import NAMED, naming
from berth.schema import image_references, images, repositories, repository_layers, tags


def _texts(name: str) -> Any:
    return bindparam(name, type_=ARRAY(Text))


# Of the image, as the question is given them.
_VALUES: dict[str, Any] = {
    "digest": bindparam("digest", type_=Text),
    "media_type": bindparam("media_type", type_=Text),
    "artifact_type": bindparam("artifact_type", type_=Text),
    "subject": bindparam("subject", type_=Text),
    "annotations": cast(bindparam("annotations", type_=Text), JSONB),
    "size": bindparam("size", type_=BigInteger),
    "manifest": bindparam("manifest", type_=LargeBinary),
}


def _statement() -> Any:
    """In the order in which all lock: the repository, the links to the layers, the image, the tags."""
    repository = select(repositories.c.id).where(NAMED).with_for_update(read=True, key_share=True).cte("repository")
    image = _image(repository, _held(repository))
    is_referrer = _VALUES["subject"].is_not(None)
    return (
        select(
            image.c.repository_id,
            # A statement that is asked alone is not durable by itself (berth/database/questions.py).
            func.set_config("synchronous_commit", "on", true()),
            case((is_referrer, changes.told_of_referrers(image.c.repository_id, _VALUES["subject"]))),
        )
        .select_from(image)
        .add_cte(_references(image).cte("image_references_"), _tagged(image).cte("tagged"))
    )


def _held(repository: CTE) -> CTE:
    """What the repository holds of the layers that the image needs."""
    return (
        select(repository_layers.c.digest)
        .where(
            repository_layers.c.repository_id == repository.c.id,
            repository_layers.c.digest == any_(_texts("referenced")),
        )
        .order_by(repository_layers.c.digest)
        .with_for_update(read=True, of=repository_layers)
        .cte("held")
    )


def _image(repository: CTE, held: CTE) -> CTE:
    """The image, put where all that it needs is held, and neither it nor a tag of its is there."""
    is_new = not_(exists().where(images.c.repository_id == repository.c.id, images.c.digest == _VALUES["digest"]))
    are_new = not_(exists().where(tags.c.repository_id == repository.c.id, tags.c.tag == any_(_texts("new_tags"))))
    are_held = select(func.count()).select_from(held).scalar_subquery() == func.cardinality(_texts("referenced"))
    return (
        insert(images)
        .from_select(
            ["repository_id", *_VALUES], select(repository.c.id, *_VALUES.values()).where(are_held, is_new, are_new)
        )
        .returning(images.c.repository_id, images.c.digest)
        .cte("image")
    )


def _references(image: CTE) -> Insert:
    layer = (
        func.unnest(_texts("referenced"), _texts("media_types"))
        .table_valued("referenced", "media_type")
        .render_derived()
    )
    return insert(image_references).from_select(
        ["repository_id", "digest", "referenced", "kind", "media_type"],
        select(
            image.c.repository_id, image.c.digest, layer.c.referenced, cast("layer", Text), layer.c.media_type
        ).join_from(image, layer, true()),
    )


def _tagged(image: CTE) -> Insert:
    tag = func.unnest(_texts("new_tags")).table_valued("tag").render_derived()
    return insert(tags).from_select(
        ["repository_id", "tag", "digest"],
        select(image.c.repository_id, tag.c.tag, image.c.digest).join_from(image, tag, true()),
    )


_PUT = Question(_statement())


async def put(database: Database, registry: Registry, name: str, manifest: Manifest, new_tags: Sequence[Tag]) -> bool:
    """Put the image and its tags into the repository: True.

    False, and nothing is changed, where it is an index, where the repository or a layer is missing, and where the image
    or a tag is there already.
    """
    if manifest.is_index:
        return False
    subject = None if manifest.subject is None else manifest.subject.digest
    media_types = {blob.digest: blob.media_type for blob in manifest.blobs}
    try:
        rows = await database.ask(
            _PUT,
            **naming(registry, name),
            digest=manifest.digest,
            media_type=manifest.media_type,
            artifact_type=manifest.artifact_type,
            subject=subject,
            annotations=orjson.dumps(dict(manifest.annotations)).decode(),
            size=manifest.size,
            manifest=manifest.content,
            referenced=[*media_types],
            media_types=[*media_types.values()],
            new_tags=sorted({*new_tags}),
        )
    except asyncpg.UniqueViolationError:
        # Somebody else put the image, or a tag, at the same time.
        return False
    if rows and subject is not None:
        changes.heard(changes.of_referrers(rows[0]["repository_id"], subject))
    return bool(rows)
