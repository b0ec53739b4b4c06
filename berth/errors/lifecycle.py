"""Errors about previews of lifecycle policies."""

from berth.errors.base import EcrError, place_of
from berth.names import Registry


class LifecyclePolicyPreviewInProgress(EcrError):
    code = "LifecyclePolicyPreviewInProgressException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(f"Lifecycle policy preview is in progress for {place_of(repository, registry)}")


class LifecyclePolicyPreviewNotFound(EcrError):
    code = "LifecyclePolicyPreviewNotFoundException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(f"Lifecycle policy preview does not exist for {place_of(repository, registry)}")
