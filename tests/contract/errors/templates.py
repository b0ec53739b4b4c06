"""Repository creation templates."""

from berth.templates import stored
from tests.contract.errors.stage import Members, Stage, provokes

NEW: Members = {"prefix": "prod", "appliedFor": ["REPLICATION"]}


@provokes("TemplateAlreadyExistsException", "CreateRepositoryCreationTemplate")
async def created_twice(stage: Stage) -> Members:
    await stage.api.create_repository_creation_template(**NEW)
    return NEW


@provokes("LimitExceededException", "CreateRepositoryCreationTemplate")
async def one_template_too_many(stage: Stage) -> Members:
    stage.limits.setattr(stored, "MAX_TEMPLATES", 1)
    await stage.api.create_repository_creation_template(**NEW)
    return {**NEW, "prefix": "test"}


@provokes("TemplateNotFoundException", "UpdateRepositoryCreationTemplate", "DeleteRepositoryCreationTemplate")
async def of_no_template(_stage: Stage) -> Members:
    return {"prefix": "prod"}
