"""How a registry wants its images scanned."""

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from berth.schema.tables import Name, metadata

# A registry whose scanning configuration was never put has no row.
registry_scanning = Table(
    "registry_scanning",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    Column("scan_type", Text, nullable=False),
    # As ECR's JSON has them.
    Column("rules", JSONB, nullable=False),
)
