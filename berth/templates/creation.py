"""Repositories that are created because someone needs them, as a template says."""

from berth import repositories
from berth.database.db import Database
from berth.errors import RepositoryAlreadyExists
from berth.names import Registry, RepositoryName
from berth.repositories import encryption
from berth.templates.template import Template


async def create(database: Database, registry: Registry, name: RepositoryName, template: Template) -> None:
    """See to it that there is the repository, with the settings of the template unless someone created it meanwhile.

    Raises InvalidParameter, as `repositories.create` does.
    """
    try:
        await repositories.create(
            database,
            registry,
            name,
            mutability=template.mutability,
            encryption=encryption.parse(registry, template.encryption),
            tags=template.tags,
            policy=template.repository_policy,
            lifecycle_policy=template.lifecycle_policy,
        )
    except RepositoryAlreadyExists:
        return
