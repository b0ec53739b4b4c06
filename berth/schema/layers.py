"""Layers, who holds them, and the uploads that become them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY

from berth.schema.tables import Moment, Name, metadata, now_column

# The bytes that a registry holds, once, whatever the number of repositories that link to them.
layers = Table(
    "layers",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    now_column("created_at"),
    # Since when it may be that nobody holds it; NULL where somebody was seen to. Collection looks at these alone.
    Column("unused_since", Moment),
    # The mark of a collection that may just be removing it from the store: until it is gone, nobody comes to hold it.
    Column("removing_since", Moment),
    Index(
        "ix_layers_unused_since",
        "unused_since",
        "account",
        "region",
        "digest",
        postgresql_where="unused_since IS NOT NULL",
    ),
)

repository_layers = Table(
    "repository_layers",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    now_column("linked_at"),
    # Since when it may be that no image needs it; NULL where one was seen to. Collection looks at these alone.
    Column("unused_since", Moment, server_default=func.now()),
    Index("ix_repository_layers_digest", "digest", "repository_id"),
    Index(
        "ix_repository_layers_unused_since",
        "unused_since",
        "repository_id",
        "digest",
        postgresql_where="unused_since IS NOT NULL",
    ),
)

# An upload under way. Its bytes lie in the store, in order; `received` of them are acknowledged.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("principal", Text, nullable=False),
    Column("received", BigInteger, nullable=False, server_default="0"),
    # The SHA-256 of these, and what the store calls the pieces that they lie in, as far as it says so.
    Column("digest", Name),
    Column("pieces", ARRAY(Text), nullable=False, server_default="{}"),
    # UploadLayerPart takes small parts only as the last one; these two tell CompleteLayerUpload whether it was so.
    Column("last_part_size", BigInteger),
    Column("has_short_part", Boolean, nullable=False, server_default="false"),
    now_column("touched_at"),
    Index("ix_uploads_touched_at", "touched_at"),
    Index("ix_uploads_repository_id", "repository_id"),
)
