"""Repository creation templates."""

from berth.errors.base import EcrError
from berth.names import Registry


class TemplateAlreadyExists(EcrError):
    code = "TemplateAlreadyExistsException"

    def __init__(self, registry: Registry, prefix: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' already exists "
            f"in the registry with id '{registry.account}'"
        )


class TemplateNotFound(EcrError):
    code = "TemplateNotFoundException"

    def __init__(self, registry: Registry, prefix: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' does not exist "
            f"in the registry with id '{registry.account}'"
        )
