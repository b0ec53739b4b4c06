"""Layers that somebody counts on, though no image needs them yet: whoever is told of one has time to push the image."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import ARRAY, Text, any_, bindparam, func, select, update

from berth.database.db import Database
from berth.database.questions import Question
from berth.layers.held import Layer
from berth.schema import repository_layers

# How often the time of a layer begins anew at most.
GRAIN = timedelta(hours=1)

_mine = (
    select(repository_layers.c.digest)
    .where(
        repository_layers.c.repository_id == bindparam("repository_id"),
        repository_layers.c.digest == any_(bindparam("digests", type_=ARRAY(Text))),
    )
    .order_by(repository_layers.c.digest)
    .with_for_update()
    .cte("mine")
)
_KEEP = Question(
    update(repository_layers)
    .where(
        repository_layers.c.repository_id == bindparam("repository_id"), repository_layers.c.digest == _mine.c.digest
    )
    .values(unused_since=func.now())
    .returning(repository_layers.c.digest)
)


async def keep(database: Database, found: Mapping[str, Layer]) -> dict[str, Layer]:
    """Those that one repository still holds, of those just found there: they stay for a while, image or not.

    A client that is told that a layer is there does not push it again.
    """
    due = sorted(digest for digest, layer in found.items() if _is_due(layer))
    if not due:
        return dict(found)
    rows = await database.ask(_KEEP, repository_id=found[due[0]].repository_id, digests=due)
    gone = {*due} - {row["digest"] for row in rows}
    return {digest: layer for digest, layer in found.items() if digest not in gone}


def _is_due(layer: Layer) -> bool:
    if layer.has_image:
        return False
    return layer.unused_since is None or layer.unused_since < datetime.now(UTC) - GRAIN
