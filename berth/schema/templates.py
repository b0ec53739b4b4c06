"""What the repositories that a registry creates by itself are to be like."""

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from berth.schema.tables import Name, metadata, now_column

repository_creation_templates = Table(
    "repository_creation_templates",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    # Without the slash at its end, which it has in any case; the next column has it as it was written.
    Column("prefix", Name, primary_key=True),
    Column("written_prefix", Text, nullable=False),
    Column("applied_for", ARRAY(Text), nullable=False),
    Column("description", Text),
    Column("encryption", JSONB, nullable=False),
    Column("tag_mutability", Text, nullable=False),
    Column("mutability_exclusions", JSONB, nullable=False, server_default="[]"),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    Column("repository_policy", Text),
    Column("lifecycle_policy", Text),
    Column("custom_role_arn", Text),
    now_column("created_at"),
    now_column("updated_at"),
)
