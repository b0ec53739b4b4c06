"""Images, their tags, and what they name."""

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from berth.schema.tables import Moment, Name, metadata, now_column

images = Table(
    "images",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("media_type", Text, nullable=False),
    # The artifactType of the manifest, or else the media type of its config.
    Column("artifact_type", Text),
    Column("subject", Name),
    Column("annotations", JSONB, nullable=False, server_default="{}"),
    # What the image weighs to a client: its config and layers (of an index: its largest image).
    Column("size", BigInteger, nullable=False),
    now_column("pushed_at"),
    Column("last_pulled_at", Moment),
    # STANDARD or ARCHIVE, and when it last came to be so: archived_at for ARCHIVE, activated_at for STANDARD again.
    Column("storage_class", Text, nullable=False, server_default="STANDARD"),
    Column("archived_at", Moment),
    Column("activated_at", Moment),
    Column("manifest", LargeBinary, nullable=False),
    # Not the repository first: before the first ANALYZE, a look for one image would take this index for the key.
    Index("ix_images_storage_class", "storage_class", "repository_id", "digest"),
    Index("ix_images_subject", "repository_id", "subject", "digest", postgresql_where="subject IS NOT NULL"),
    Index(
        "ix_images_artifact_type",
        "repository_id",
        "subject",
        "artifact_type",
        "digest",
        postgresql_where="subject IS NOT NULL",
    ),
)

tags = Table(
    "tags",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("tag", Name, primary_key=True),
    Column("digest", Name, nullable=False),
    now_column("moved_at"),
    ForeignKeyConstraint(["repository_id", "digest"], ["images.repository_id", "images.digest"], ondelete="CASCADE"),
    Index("ix_tags_digest", "repository_id", "digest", "tag"),
)

# What an image names: the layers (its config among them) and, of an index, the images.
image_references = Table(
    "image_references",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("referenced", Name, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    # That of the image that references. Here too, so that one look into the index tells whether an active image needs
    # a layer, or else how long ago the last that does was archived: a base layer has a hundred thousand of them.
    Column("archived_at", Moment),
    ForeignKeyConstraint(["repository_id", "digest"], ["images.repository_id", "images.digest"], ondelete="CASCADE"),
    Index("ix_image_references_referenced", "repository_id", "referenced", "archived_at"),
)
