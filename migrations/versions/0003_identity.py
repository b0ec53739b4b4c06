"""Accounts, users, groups, roles, their policies, the providers that vouch for others, and the use of rates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.execute("INSERT INTO accounts (id, name) SELECT DISTINCT account, account FROM access_keys")
    op.create_table(
        "identities",
        sa.Column("id", NAME, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("folded_name", NAME, nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("tags", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("boundary", NAME),
        sa.Column("trust_policy", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("max_session_seconds", sa.Integer()),
        sa.Column("last_used_at", MOMENT),
        sa.Column("last_used_region", sa.Text()),
        sa.CheckConstraint("kind IN ('user', 'group', 'role')", name="ck_identities_kind"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("account", "kind", "folded_name", name=op.f("uq_identities_account")),
        _of_account("identities"),
    )
    op.create_index("ix_identities_boundary", "identities", ["boundary"], postgresql_where="boundary IS NOT NULL")
    op.create_table(
        "group_members",
        sa.Column("group_id", NAME, nullable=False),
        sa.Column("user_id", NAME, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
        _of_identity("group_members", "group_id"),
        sa.ForeignKeyConstraint(["user_id"], ["identities.id"], name="fk_group_members_users", ondelete="CASCADE"),
    )
    op.create_index("ix_group_members_user_id", "group_members", ["user_id"])
    op.create_table(
        "inline_policies",
        sa.Column("identity_id", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("identity_id", "name", name=op.f("pk_inline_policies")),
        _of_identity("inline_policies", "identity_id"),
    )
    op.create_table(
        "policies",
        sa.Column("id", NAME, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("path", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("folded_name", NAME, nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("default_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("latest_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("updated_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("tags", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("account", "folded_name", name=op.f("uq_policies_account")),
        _of_account("policies"),
    )
    op.create_table(
        "policy_versions",
        sa.Column("policy_id", NAME, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "version", name=op.f("pk_policy_versions")),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policies.id"], name=op.f("fk_policy_versions_policies"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "policy_attachments",
        sa.Column("identity_id", NAME, nullable=False),
        sa.Column("policy_arn", NAME, nullable=False),
        sa.Column("attached_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("identity_id", "policy_arn", name=op.f("pk_policy_attachments")),
        _of_identity("policy_attachments", "identity_id"),
    )
    op.create_index("ix_policy_attachments_policy_arn", "policy_attachments", ["policy_arn", "identity_id"])
    op.create_table(
        "service_control_policies",
        sa.Column("account", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_service_control_policies")),
        _of_account("service_control_policies"),
    )
    op.create_table(
        "oidc_providers",
        sa.Column("account", NAME, nullable=False),
        sa.Column("url", NAME, nullable=False),
        sa.Column("client_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("thumbprints", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tags", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", "url", name=op.f("pk_oidc_providers")),
        _of_account("oidc_providers"),
    )
    op.add_column("access_keys", sa.Column("user_id", NAME))
    op.create_foreign_key(
        op.f("fk_access_keys_identities"), "access_keys", "identities", ["user_id"], ["id"], ondelete="CASCADE"
    )
    op.add_column("access_keys", sa.Column("status", sa.Text(), server_default="Active", nullable=False))
    op.add_column("access_keys", sa.Column("last_used_at", MOMENT))
    op.add_column("access_keys", sa.Column("last_used_region", sa.Text()))
    op.add_column("access_keys", sa.Column("last_used_service", sa.Text()))
    op.create_index("ix_access_keys_user_id", "access_keys", ["user_id"])
    op.drop_column("access_keys", "principal")
    op.create_table(
        "throttles",
        sa.Column("bucket", NAME, nullable=False),
        sa.Column("full_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttles")),
        prefixes=["UNLOGGED"],
    )


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_accounts")
    return sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=name, ondelete="CASCADE")


def _of_identity(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_identities")
    return sa.ForeignKeyConstraint([column], ["identities.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.execute("DELETE FROM access_keys WHERE user_id IS NOT NULL")
    op.add_column("access_keys", sa.Column("principal", sa.Text()))
    op.execute("UPDATE access_keys SET principal = 'arn:aws:iam::' || account || ':root'")
    op.alter_column("access_keys", "principal", nullable=False)
    for column in ("last_used_service", "last_used_region", "last_used_at", "status", "user_id"):
        op.drop_column("access_keys", column)
    for table in (
        "throttles",
        "oidc_providers",
        "service_control_policies",
        "policy_attachments",
        "policy_versions",
        "policies",
        "inline_policies",
        "group_members",
        "identities",
        "accounts",
    ):
        op.drop_table(table)
