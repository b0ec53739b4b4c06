"""The scanning configuration of each registry, and the images that a scan is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from berth.database.db import Database
from berth.images.descriptions import fields_of
from berth.names import Digest, Registry, RepositoryName, Tag
from berth.scanning.configuration import Configuration
from berth.schema import images, registry_scanning, repositories

# What a config is that describes a file system: OCI Image 1.1, and Docker's image manifest version 2.
CONFIGS = frozenset({"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"})


@dataclass(frozen=True, slots=True)
class RepositoryScanning:
    """A repository, its own setting, and the configuration of its registry."""

    registry: Registry
    name: RepositoryName
    scan_on_push: bool
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Target:
    """An image that a scan is asked for."""

    digest: Digest
    media_type: str
    artifact_type: str | None
    archived: bool

    @property
    def can_be_scanned(self) -> bool:
        """Whether it is an image of a file system, rather than an index or an artifact of another kind."""
        return self.artifact_type in CONFIGS

    @property
    def shown_type(self) -> str:
        """The media type of an index, and of an artifact the type that it says of itself."""
        return self.artifact_type or self.media_type


async def get(database: Database, registry: Registry) -> Configuration:
    table = registry_scanning.c
    question = select(table.scan_type, table.rules).where(
        table.account == registry.account, table.region == registry.region
    )
    async with database.reading() as connection:
        row = (await connection.execute(question)).one_or_none()
    return Configuration() if row is None else Configuration.of(row.scan_type, row.rules)


async def put(database: Database, registry: Registry, configuration: Configuration) -> None:
    chosen = {"scan_type": configuration.scan_type, "rules": configuration.rules_as_json()}
    statement = insert(registry_scanning).values(account=registry.account, region=registry.region, **chosen)
    async with database.transaction() as connection:
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["account", "region"], set_=chosen),
        )


async def of_repositories(
    database: Database, registry: Registry, names: Sequence[str]
) -> dict[str, RepositoryScanning]:
    """Those of the repositories that there are, by name."""
    same = and_(
        registry_scanning.c.account == repositories.c.account, registry_scanning.c.region == repositories.c.region
    )
    question = (
        select(
            repositories.c.name, repositories.c.scan_on_push, registry_scanning.c.scan_type, registry_scanning.c.rules
        )
        .select_from(repositories.outerjoin(registry_scanning, same))
        .where(
            repositories.c.account == registry.account,
            repositories.c.region == registry.region,
            repositories.c.name.in_(names),
        )
    )
    async with database.reading() as connection:
        rows = (await connection.execute(question)).all()
    return {
        row.name: RepositoryScanning(
            registry=registry,
            name=RepositoryName(row.name),
            scan_on_push=row.scan_on_push,
            configuration=Configuration.of(row.scan_type, row.rules) if row.scan_type else Configuration(),
        )
        for row in rows
    }


async def find(
    database: Database, registry: Registry, name: str, digest: Digest | None, tag: Tag | None
) -> Target | None:
    """The image of that digest, of that tag, or of both; None where there is none. Raises RepositoryNotFound."""
    columns = (images.c.media_type, images.c.artifact_type, images.c.storage_class)
    row = await fields_of(database, registry, name, digest, tag, *columns)
    if row is None:
        return None
    return Target(Digest(row.digest), row.media_type, row.artifact_type, row.storage_class == "ARCHIVE")
