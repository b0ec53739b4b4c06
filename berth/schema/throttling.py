"""How much of its rates an account has used, as the machines of a Berth tell each other."""

from sqlalchemy import Column, Table

from berth.schema.tables import Moment, Name, metadata

# When a bucket will be full again. Not logged: after a crash of PostgreSQL all of them are full.
throttles = Table(
    "throttles",
    metadata,
    # ACCOUNT/REGION/ACTION
    Column("bucket", Name, primary_key=True),
    Column("full_at", Moment, nullable=False),
    prefixes=["UNLOGGED"],
)
