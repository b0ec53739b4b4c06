"""Layers that nobody needs are found, deleted images come back, and any process goes on with an upload."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("uploads", sa.Column("digest", NAME))
    op.add_column("uploads", sa.Column("pieces", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    # Of those that there are, each is to be looked at once.
    op.add_column("layers", sa.Column("unused_since", MOMENT, server_default=sa.func.now()))
    op.alter_column("layers", "unused_since", server_default=None)
    op.add_column("repository_layers", sa.Column("unused_since", MOMENT, server_default=sa.func.now()))
    is_unused = sa.text("unused_since IS NOT NULL")
    op.create_index(
        "ix_layers_unused_since",
        "layers",
        ["unused_since", "account", "region", "digest"],
        postgresql_where=is_unused,
    )
    op.create_index("ix_repository_layers_digest", "repository_layers", ["digest", "repository_id"])
    op.create_index(
        "ix_repository_layers_unused_since",
        "repository_layers",
        ["unused_since", "repository_id", "digest"],
        postgresql_where=is_unused,
    )
    op.create_index(
        "ix_images_artifact_type",
        "images",
        ["repository_id", "subject", "artifact_type", "digest"],
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "deleted_images",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("region", NAME, nullable=False),
        sa.Column("repository", NAME, nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("artifact_type", sa.Text()),
        sa.Column("subject", NAME),
        sa.Column("annotations", postgresql.JSONB(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pushed_at", MOMENT, nullable=False),
        sa.Column("last_pulled_at", MOMENT),
        sa.Column("storage_class", sa.Text(), nullable=False),
        sa.Column("archived_at", MOMENT),
        sa.Column("activated_at", MOMENT),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("deleted_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_images")),
    )
    op.create_index("ix_deleted_images_repository", "deleted_images", ["account", "region", "repository", "digest"])
    op.create_index("ix_deleted_images_deleted_at", "deleted_images", ["deleted_at", "id"])
    op.create_table(
        "deleted_image_references",
        sa.Column("deleted_image_id", sa.BigInteger(), nullable=False),
        sa.Column("referenced", NAME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("deleted_image_id", "referenced", name=op.f("pk_deleted_image_references")),
        sa.ForeignKeyConstraint(
            ["deleted_image_id"],
            ["deleted_images.id"],
            name=op.f("fk_deleted_image_references_deleted_images"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_deleted_image_references_referenced", "deleted_image_references", ["referenced", "deleted_image_id"]
    )


def downgrade() -> None:
    op.drop_table("deleted_image_references")
    op.drop_table("deleted_images")
    op.drop_index("ix_images_artifact_type", "images")
    op.drop_index("ix_repository_layers_unused_since", "repository_layers")
    op.drop_index("ix_repository_layers_digest", "repository_layers")
    op.drop_index("ix_layers_unused_since", "layers")
    op.drop_column("repository_layers", "unused_since")
    op.drop_column("layers", "unused_since")
    op.drop_column("uploads", "pieces")
    op.drop_column("uploads", "digest")
