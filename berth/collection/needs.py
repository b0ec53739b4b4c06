"""Who needs some bytes: a repository that holds them, or a deleted image that can be restored and names them."""

from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, ScalarSelect, Table, and_, exists, or_, select

from berth.schema import deleted_image_references, deleted_images, repositories, repository_layers


def are_needed(bytes_: FromClause) -> ColumnElement[bool]:
    """The condition that somebody needs the bytes of a row of `bytes_`, which has `account`, `region` and `digest`."""
    held = select(1).where(
        repository_layers.c.digest == bytes_.c.digest,
        _of_that_registry(bytes_, repositories, repository_layers, repository_layers.c.repository_id),
    )
    named = select(1).where(
        deleted_image_references.c.referenced == bytes_.c.digest,
        _of_that_registry(
            bytes_, deleted_images, deleted_image_references, deleted_image_references.c.deleted_image_id
        ),
    )
    return or_(exists(held.correlate(bytes_)), exists(named.correlate(bytes_)))


def _of_that_registry(bytes_: FromClause, owner: Table, held: Table, owner_id: Column[Any]) -> ScalarSelect[bool]:
    """Asked for each row of `held` that has the digest: a join may begin with all that a registry has, far more."""
    is_there = and_(owner.c.account == bytes_.c.account, owner.c.region == bytes_.c.region)
    return select(is_there).where(owner.c.id == owner_id).correlate(bytes_, held).scalar_subquery()
