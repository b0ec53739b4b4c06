"""Images that were deleted, for as long as they can be had back."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from berth.schema.tables import Moment, Name, metadata, now_column

# An image as it was when it was deleted. It outlives its repository, so that it can go into a new one of that name.
deleted_images = Table(
    "deleted_images",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Name, nullable=False),
    Column("region", Name, nullable=False),
    Column("repository", Name, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("digest", Name, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("artifact_type", Text),
    Column("subject", Name),
    Column("annotations", JSONB, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("pushed_at", Moment, nullable=False),
    Column("last_pulled_at", Moment),
    Column("storage_class", Text, nullable=False),
    Column("archived_at", Moment),
    Column("activated_at", Moment),
    Column("manifest", LargeBinary, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    now_column("deleted_at"),
    Index("ix_deleted_images_repository", "account", "region", "repository", "digest"),
    Index("ix_deleted_images_deleted_at", "deleted_at", "id"),
)

# What they named; their layers' bytes stay for as long as they do.
deleted_image_references = Table(
    "deleted_image_references",
    metadata,
    Column("deleted_image_id", ForeignKey("deleted_images.id", ondelete="CASCADE"), primary_key=True),
    Column("referenced", Name, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Index("ix_deleted_image_references_referenced", "referenced", "deleted_image_id"),
)
