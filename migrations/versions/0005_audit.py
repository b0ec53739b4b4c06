"""What was asked and decided is kept, hour by hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "audited_principals",
        sa.Column("id", NAME, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("arn", NAME, nullable=False),
        sa.Column("identity_id", NAME),
        sa.Column("claims", postgresql.JSONB(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audited_principals")),
    )
    op.create_index("ix_audited_principals_last_at", "audited_principals", ["last_at"])
    op.create_table(
        "audited_requests",
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("region", NAME, nullable=False),
        sa.Column("principal_id", NAME, nullable=False),
        sa.Column("action", NAME, nullable=False),
        sa.Column("resource", NAME, nullable=False),
        sa.Column("policies_of", NAME),
        sa.Column("context", postgresql.JSONB(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hour", "account", "id", name=op.f("pk_audited_requests")),
    )
    op.create_table(
        "audited_hours",
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("allowed_beyond", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused_beyond", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hour", "account", name=op.f("pk_audited_hours")),
    )


def downgrade() -> None:
    op.drop_table("audited_hours")
    op.drop_table("audited_requests")
    op.drop_table("audited_principals")
