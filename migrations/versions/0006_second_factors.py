"""Virtual MFA devices, and accounts that have an alias."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("alias", NAME))
    op.create_unique_constraint("uq_accounts_alias", "accounts", ["alias"])
    op.create_table(
        "mfa_devices",
        sa.Column("account", NAME, nullable=False),
        sa.Column("serial", NAME, nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("tags", postgresql.JSONB(), nullable=False, server_default="{}"),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("user_id", NAME),
        sa.Column("enabled_at", MOMENT),
        sa.Column("drift", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("latest_step", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("wrong_at", MOMENT),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_mfa_devices_accounts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["identities.id"], name="fk_mfa_devices_identities", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "serial", name="pk_mfa_devices"),
    )
    op.create_index("ix_mfa_devices_user_id", "mfa_devices", ["user_id"])


def downgrade() -> None:
    op.drop_table("mfa_devices")
    op.drop_constraint("uq_accounts_alias", "accounts")
    op.drop_column("accounts", "alias")
