"""What belongs to a registry as a whole. A registry without any of it has no row."""

from sqlalchemy import Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from berth.schema.tables import Moment, Name, metadata, now_column

registries = Table(
    "registries",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    Column("policy", Text),
    # The account settings that were put, value by name.
    Column("settings", JSONB, nullable=False, server_default="{}"),
    # The rules of these two, as ECR's JSON has them, and since when they have been what they are.
    Column("replication_rules", JSONB, nullable=False, server_default="[]"),
    Column("replication_since", Moment),
    # NULL where there is no signing configuration.
    Column("signing_rules", JSONB),
    Column("signing_since", Moment),
)

# Principals whose pulls do not count as pulls.
pull_time_exclusions = Table(
    "pull_time_exclusions",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    Column("principal_arn", Name, primary_key=True),
    now_column("created_at"),
)

replication_backfills = Table(
    "replication_backfills",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account", Name, nullable=False),
    Column("region", Name, nullable=False),
    Column("destination_account", Name, nullable=False),
    Column("destination_region", Name, nullable=False),
    Column("status", Text, nullable=False),
    now_column("started_at"),
    Column("ended_at", Moment),
    Index("ix_replication_backfills_started_at", "account", "region", "started_at", "id"),
    Index(
        "ix_replication_backfills_in_progress",
        "account",
        "region",
        "destination_region",
        unique=True,
        postgresql_where="ended_at IS NULL",
    ),
)
