"""The upstream registries that a registry is to cache images of."""

from sqlalchemy import Column, Table, Text

from berth.schema.tables import Name, metadata, now_column

pull_through_cache_rules = Table(
    "pull_through_cache_rules",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    # Without the slash at its end, which it has in any case; the next column has it as it was written.
    Column("prefix", Name, primary_key=True),
    Column("written_prefix", Text, nullable=False),
    Column("upstream_registry", Text, nullable=False),
    Column("upstream_url", Text, nullable=False),
    # NULL where none was given, which means ROOT.
    Column("upstream_prefix", Text),
    Column("credential_arn", Text),
    Column("custom_role_arn", Text),
    now_column("created_at"),
    now_column("updated_at"),
)
