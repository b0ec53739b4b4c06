"""Rows by their keys: some that a statement has found, for the next statements of the same transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import ARRAY, BigInteger, Interval, Text, and_, bindparam, column, func

from berth.schema import layers, repository_layers
from berth.schema.tables import Moment, Name

# Before every moment that a row can tell: the place from which a look through an index begins.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LinkKey = tuple[int, str]
BytesKey = tuple[str, str, str]

some_links = (
    func.unnest(
        bindparam("repository_ids", type_=ARRAY(BigInteger)),
        bindparam("digests", type_=ARRAY(Text)),
        bindparam("moments", type_=ARRAY(Moment)),
    )
    .table_valued(column("repository_id", BigInteger), column("digest", Name), column("moment", Moment))
    .render_derived(name="some_links")
)
IS_SOME_LINK = and_(
    repository_layers.c.repository_id == some_links.c.repository_id, repository_layers.c.digest == some_links.c.digest
)
some_bytes = (
    func.unnest(
        bindparam("accounts", type_=ARRAY(Text)),
        bindparam("regions", type_=ARRAY(Text)),
        bindparam("digests", type_=ARRAY(Text)),
    )
    .table_valued(column("account", Name), column("region", Name), column("digest", Name))
    .render_derived(name="some_bytes")
)
ARE_SOME_BYTES = and_(
    layers.c.account == some_bytes.c.account,
    layers.c.region == some_bytes.c.region,
    layers.c.digest == some_bytes.c.digest,
)
# Those that bear a collection's mark still.
some_marked = (
    func.unnest(
        bindparam("accounts", type_=ARRAY(Text)),
        bindparam("regions", type_=ARRAY(Text)),
        bindparam("digests", type_=ARRAY(Text)),
        bindparam("marks", type_=ARRAY(Moment)),
    )
    .table_valued(
        column("account", Name), column("region", Name), column("digest", Name), column("removing_since", Moment)
    )
    .render_derived(name="some_marked")
)
ARE_MARKED = and_(
    layers.c.account == some_marked.c.account,
    layers.c.region == some_marked.c.region,
    layers.c.digest == some_marked.c.digest,
    layers.c.removing_since == some_marked.c.removing_since,
)
# How long ago something must be.
AGO = func.now() - bindparam("age", type_=Interval)


def of_links(keys: Sequence[LinkKey], moments: Sequence[datetime] = ()) -> dict[str, object]:
    """What stands for `some_links`, each with a moment where there are any."""
    return {
        "repository_ids": [key[0] for key in keys],
        "digests": [key[1] for key in keys],
        "moments": list(moments),
    }


def of_bytes(keys: Sequence[BytesKey]) -> dict[str, object]:
    """What stands for `some_bytes`."""
    return {
        "accounts": [key[0] for key in keys],
        "regions": [key[1] for key in keys],
        "digests": [key[2] for key in keys],
    }


def of_marked(marks: Mapping[BytesKey, datetime]) -> dict[str, object]:
    """What stands for `some_marked`."""
    return {**of_bytes(list(marks)), "marks": list(marks.values())}
