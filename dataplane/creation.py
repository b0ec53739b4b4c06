"""Repositories that a push creates (ECR user guide, "Templates to control repositories created during a pull through
cache, create on push, or replication action").
"""

import structlog

from berth import repositories
from berth.errors import RepositoryNotFound
from berth.repositories import Repository
from berth.templates import creation, stored
from berth.templates.template import AppliedFor
from dataplane.call import Call

log = structlog.get_logger()


async def repository(call: Call) -> Repository:
    """The repository that is pushed to, which is created where there is none and `create` may do so.

    Raises RepositoryNotFound, and what `create` raises.
    """
    try:
        return await repositories.get(call.database, call.registry, call.name)
    except RepositoryNotFound as missing:
        await create(call, missing)
        return await repositories.get(call.database, call.registry, call.name)


async def create(call: Call, missing: RepositoryNotFound) -> None:
    """Create the repository as the template for it says; where no template is for it, `missing` is raised.

    Raises AccessDenied unless the principal may create it: ECR creates it in its own name, for whoever may push.
    """
    template = await stored.find_for(call.database, call.registry, call.name, AppliedFor.CREATE_ON_PUSH)
    if template is None:
        raise missing
    await call.authorize("ecr:CreateRepository", call.registry, call.name)
    await creation.create(call.database, call.registry, call.name, template)
    log.info("a push created a repository", repository=call.name, template=template.prefix)
