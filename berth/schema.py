"""The tables. Names that are compared or paged are in the collation "C": byte order, the same on every server."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

Name = Text(collation="C")
Moment = DateTime(timezone=True)


def _now(name: str) -> Column[object]:
    return Column(name, Moment, nullable=False, server_default=func.now())


repositories = Table(
    "repositories",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Name, nullable=False),
    Column("region", Name, nullable=False),
    Column("name", Name, nullable=False),
    _now("created_at"),
    Column("tag_mutability", Text, nullable=False),
    # The wildcard filters that *_WITH_EXCLUSION takes out, as ECR's JSON has them.
    Column("mutability_exclusions", JSONB, nullable=False, server_default="[]"),
    Column("scan_on_push", Boolean, nullable=False, server_default="false"),
    Column("encryption", JSONB, nullable=False),
    Column("tags", JSONB, nullable=False, server_default="{}"),
    Column("policy", Text),
    Column("lifecycle_policy", Text),
    Column("lifecycle_evaluated_at", Moment),
    UniqueConstraint("account", "region", "name"),
)

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
    _now("pushed_at"),
    Column("last_pulled_at", Moment),
    Column("manifest", LargeBinary, nullable=False),
    Index("ix_images_subject", "repository_id", "subject", "digest", postgresql_where="subject IS NOT NULL"),
)

tags = Table(
    "tags",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("tag", Name, primary_key=True),
    Column("digest", Name, nullable=False),
    _now("moved_at"),
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
    ForeignKeyConstraint(["repository_id", "digest"], ["images.repository_id", "images.digest"], ondelete="CASCADE"),
    Index("ix_image_references_referenced", "repository_id", "referenced"),
)

# The bytes that a registry holds, once, whatever the number of repositories that link to them.
layers = Table(
    "layers",
    metadata,
    Column("account", Name, primary_key=True),
    Column("region", Name, primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    _now("created_at"),
)

repository_layers = Table(
    "repository_layers",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    _now("linked_at"),
)

# An upload under way. Its bytes lie in the store, in order; `received` of them are acknowledged.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("principal", Text, nullable=False),
    Column("received", BigInteger, nullable=False, server_default="0"),
    # UploadLayerPart takes small parts only as the last one; these two tell CompleteLayerUpload whether it was so.
    Column("last_part_size", BigInteger),
    Column("has_short_part", Boolean, nullable=False, server_default="false"),
    _now("touched_at"),
    Index("ix_uploads_touched_at", "touched_at"),
    Index("ix_uploads_repository_id", "repository_id"),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Name, nullable=False),
    Column("principal", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    _now("created_at"),
)

# The keys that seal registry passwords and page tokens and sign download addresses; the newest is in use.
keyring = Table(
    "keyring",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
    _now("created_at"),
)
