"""Accounts, who may act in them and what they may do; access keys, and the keys that seal passwords."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from berth.schema.tables import Moment, Name, metadata, now_column

accounts = Table(
    "accounts",
    metadata,
    Column("id", Name, primary_key=True),
    Column("name", Text, nullable=False),
    now_column("created_at"),
    # Of a closed account nobody may do anything any more.
    Column("closed_at", Moment),
    # Another name of it, of all accounts its alone (IAM user guide, "Your AWS account ID and its alias").
    Column("alias", Name, unique=True),
)

# Users, groups and roles. IAM user guide, "IAM identifiers".
identities = Table(
    "identities",
    metadata,
    # AIDA… of a user, AGPA… of a group, AROA… of a role: never used again.
    Column("id", Name, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("path", Name, nullable=False),
    Column("name", Name, nullable=False),
    # In lower case: IAM's names differ by more than their case.
    Column("folded_name", Name, nullable=False),
    now_column("created_at"),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    # The ARN of the managed policy that is its permissions boundary.
    Column("boundary", Name),
    # Of a role alone.
    Column("trust_policy", Text),
    Column("description", Text),
    Column("max_session_seconds", Integer),
    Column("last_used_at", Moment),
    Column("last_used_region", Text),
    CheckConstraint("kind IN ('user', 'group', 'role')", name="ck_identities_kind"),
    UniqueConstraint("account", "kind", "folded_name"),
    Index("ix_identities_boundary", "boundary", postgresql_where="boundary IS NOT NULL"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("identities.id", name="fk_group_members_users", ondelete="CASCADE"), primary_key=True),
    Index("ix_group_members_user_id", "user_id"),
)

inline_policies = Table(
    "inline_policies",
    metadata,
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Name, primary_key=True),
    Column("document", Text, nullable=False),
)

# Managed policies of customers; those of AWS are data in `api-models/`.
policies = Table(
    "policies",
    metadata,
    # ANPA…
    Column("id", Name, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("path", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("folded_name", Name, nullable=False),
    Column("description", Text),
    Column("default_version", Integer, nullable=False, server_default="1"),
    Column("latest_version", Integer, nullable=False, server_default="1"),
    now_column("created_at"),
    now_column("updated_at"),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    UniqueConstraint("account", "folded_name"),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("policy_id", ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    now_column("created_at"),
)

# By ARN, for what is attached may be a policy of AWS.
policy_attachments = Table(
    "policy_attachments",
    metadata,
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True),
    Column("policy_arn", Name, primary_key=True),
    now_column("attached_at"),
    Index("ix_policy_attachments_policy_arn", "policy_arn", "identity_id"),
)

# What an account may do at most, whoever acts in it (AWS Organizations, "Service control policies").
service_control_policies = Table(
    "service_control_policies",
    metadata,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Name, primary_key=True),
    Column("document", Text, nullable=False),
)

oidc_providers = Table(
    "oidc_providers",
    metadata,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    # Without https://, as it stands in the provider's ARN.
    Column("url", Name, primary_key=True),
    Column("client_ids", ARRAY(Text), nullable=False),
    Column("thumbprints", ARRAY(Text), nullable=False),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    now_column("created_at"),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Name, nullable=False),
    # NULL: the root's.
    Column("user_id", ForeignKey("identities.id", ondelete="CASCADE")),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("status", Text, nullable=False, server_default="Active"),
    now_column("created_at"),
    Column("last_used_at", Moment),
    Column("last_used_region", Text),
    Column("last_used_service", Text),
    Index("ix_access_keys_user_id", "user_id"),
)

# IAM user guide, "Assign a virtual MFA device". A device is a user's while `user_id` is set, and proves nothing else.
mfa_devices = Table(
    "mfa_devices",
    metadata,
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    # Its ARN.
    Column("serial", Name, primary_key=True),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    now_column("created_at"),
    Column("user_id", ForeignKey("identities.id", ondelete="CASCADE")),
    Column("enabled_at", Moment),
    # By how many steps of 30 seconds its clock goes before ours, and the latest step whose code was taken.
    Column("drift", Integer, nullable=False, server_default="0"),
    Column("latest_step", BigInteger, nullable=False, server_default="0"),
    # Since a code was right, how many were wrong, and the last of them when.
    Column("wrong_codes", Integer, nullable=False, server_default="0"),
    Column("wrong_at", Moment),
    Index("ix_mfa_devices_user_id", "user_id"),
)

# The keys that seal registry passwords, session and page tokens and sign download addresses; the newest is in use.
keyring = Table(
    "keyring",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
    now_column("created_at"),
)
