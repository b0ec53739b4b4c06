"""What was asked of Berth and decided, hour by hour."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from berth.schema.tables import Moment, Name, metadata

# Who asked, as their credentials said it of them.
audited_principals = Table(
    "audited_principals",
    metadata,
    # A hash of the other columns but the last.
    Column("id", Name, primary_key=True),
    Column("account", Name, nullable=False),
    Column("arn", Name, nullable=False),
    # The unique id of the user or the role; NULL of the root, and of whom a provider vouches for.
    Column("identity_id", Name),
    # What berth/audit/askers.py says of them.
    Column("claims", JSONB, nullable=False),
    Column("last_at", Moment, nullable=False),
    Index("ix_audited_principals_last_at", "last_at"),
)

# Requests that were alike in an hour: by whom, for what, how they came, and what was decided.
audited_requests = Table(
    "audited_requests",
    metadata,
    Column("hour", Moment, primary_key=True),
    # The caller's.
    Column("account", Name, primary_key=True),
    # A hash of all that tells it from others.
    Column("id", Name, primary_key=True),
    Column("region", Name, nullable=False),
    # No foreign key: both are removed when their time is over.
    Column("principal_id", Name, nullable=False),
    Column("action", Name, nullable=False),
    Column("resource", Name, nullable=False),
    # The ARN of the repository, or of all of a registry, whose policies were asked.
    Column("policies_of", Name),
    # The condition keys that are not the principal's nor the resource's own (berth/audit/entries.py).
    Column("context", JSONB, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)

# How many rows an account has of an hour, and how many requests there is no row for, because they were too different.
audited_hours = Table(
    "audited_hours",
    metadata,
    Column("hour", Moment, primary_key=True),
    Column("account", Name, primary_key=True),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("allowed_beyond", BigInteger, nullable=False, server_default="0"),
    Column("refused_beyond", BigInteger, nullable=False, server_default="0"),
)
