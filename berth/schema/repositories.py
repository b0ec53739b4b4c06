"""Repositories, with their settings and documents."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from berth.schema.tables import Moment, Name, metadata, now_column

repositories = Table(
    "repositories",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Name, nullable=False),
    Column("region", Name, nullable=False),
    Column("name", Name, nullable=False),
    now_column("created_at"),
    Column("tag_mutability", Text, nullable=False),
    # The wildcard filters that *_WITH_EXCLUSION takes out, as ECR's JSON has them.
    Column("mutability_exclusions", JSONB, nullable=False, server_default="[]"),
    Column("scan_on_push", Boolean, nullable=False, server_default="false"),
    Column("encryption", JSONB, nullable=False),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    Column("policy", Text),
    Column("lifecycle_policy", Text),
    Column("lifecycle_evaluated_at", Moment),
    UniqueConstraint("account", "region", "name"),
)
