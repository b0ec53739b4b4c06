"""Previews of lifecycle policies, and what they found."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from berth.schema.tables import Moment, Name, metadata, now_column

# The latest preview of a repository; each that is started takes the place of the one before, with an id of its own.
lifecycle_previews = Table(
    "lifecycle_previews",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("policy", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="IN_PROGRESS"),
    now_column("started_at"),
    Column("finished_at", Moment),
    Column("expiring", Integer, nullable=False, server_default="0"),
    Column("transitioning", Integer, nullable=False, server_default="0"),
)

# The images that a rule of the previewed policy would act on, as they were at that time.
lifecycle_preview_results = Table(
    "lifecycle_preview_results",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("preview_id", BigInteger, nullable=False),
    # The moment that the image's age counts from: oldest first is the order in which results are shown.
    Column("ordered_at", Moment, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("tagged", Boolean, nullable=False),
    Column("pushed_at", Moment, nullable=False),
    Column("storage_class", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("rule_priority", Integer, nullable=False),
    # It begins with another column than the primary key does: of two that begin alike, PostgreSQL may take the wrong
    # one for as long as it has not counted a table, and then a look for one digest goes over all of a repository.
    Index("ix_lifecycle_preview_results_order", "preview_id", "ordered_at", "digest", "tagged"),
)
