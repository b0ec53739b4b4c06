"""Bytes that a collection is removing bear its mark."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("layers", sa.Column("removing_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("layers", "removing_since")
