"""Repositories, with their policies and tags."""

from berth.errors.base import EcrError, place_of
from berth.names import Registry


class RepositoryNotFound(EcrError):
    code = "RepositoryNotFoundException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' does not exist in the registry with id '{registry.account}'"
        )


class RepositoryAlreadyExists(EcrError):
    code = "RepositoryAlreadyExistsException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' already exists in the registry with id '{registry.account}'"
        )


class RepositoryNotEmpty(EcrError):
    code = "RepositoryNotEmptyException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(
            f"The repository with name '{repository}' in registry with id '{registry.account}' "
            "cannot be deleted because it still contains images"
        )


class RepositoryPolicyNotFound(EcrError):
    code = "RepositoryPolicyNotFoundException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(f"Repository policy does not exist for {place_of(repository, registry)}")


class LifecyclePolicyNotFound(EcrError):
    code = "LifecyclePolicyNotFoundException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(f"Lifecycle policy does not exist for {place_of(repository, registry)}")


class InvalidTagParameter(EcrError):
    code = "InvalidTagParameterException"


class TooManyTags(EcrError):
    code = "TooManyTagsException"
