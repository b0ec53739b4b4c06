"""Access keys, and the keys that seal passwords."""

from sqlalchemy import Column, Identity, Integer, LargeBinary, Table, Text

from berth.schema.tables import Name, metadata, now_column

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Name, nullable=False),
    Column("principal", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    now_column("created_at"),
)

# The keys that seal registry passwords and page tokens and sign download addresses; the newest is in use.
keyring = Table(
    "keyring",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
    now_column("created_at"),
)
