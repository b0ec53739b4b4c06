"""Layers, and the uploads that become them."""

from collections.abc import Iterable

from berth.errors.base import EcrError, listed, place_of
from berth.names import Registry


class LayersNotFound(EcrError):
    code = "LayersNotFoundException"

    @classmethod
    def required(cls, registry: Registry, repository: str, digests: Iterable[str]) -> "LayersNotFound":
        return cls(
            f"Layers with digests '{listed(digests)}' required for pushing image into repository "
            f"with name '{repository}' in the registry with id '{registry.account}' do not exist"
        )

    @classmethod
    def within(cls, registry: Registry, repository: str, digest: str) -> "LayersNotFound":
        return cls(f"The layer with digest '{digest}' does not exist within {place_of(repository, registry)}")


class LayerInaccessible(EcrError):
    code = "LayerInaccessibleException"

    def __init__(self, registry: Registry, repository: str, digest: str, because: str) -> None:
        super().__init__(
            f"The layer with digest '{digest}' in {place_of(repository, registry)} is not accessible because {because}"
        )


class LayerAlreadyExists(EcrError):
    code = "LayerAlreadyExistsException"

    def __init__(self, registry: Registry, repository: str, digest: str) -> None:
        super().__init__(
            f"Layer with digest '{digest}' already exists in the repository with name '{repository}' "
            f"in registry with id '{registry.account}'"
        )


class UploadNotFound(EcrError):
    code = "UploadNotFoundException"

    def __init__(self, registry: Registry, repository: str, upload: object) -> None:
        super().__init__(f"The upload with id '{upload}' does not exist for {place_of(repository, registry)}")


class EmptyUpload(EcrError):
    code = "EmptyUploadException"

    def __init__(self, upload: object) -> None:
        super().__init__(f"The upload with id '{upload}' does not contain any layer parts")


class InvalidLayer(EcrError):
    code = "InvalidLayerException"


class LayerPartTooSmall(EcrError):
    code = "LayerPartTooSmallException"

    def __init__(self, minimum: int) -> None:
        super().__init__(f"Layer parts must be at least {minimum} bytes in size, except for the last one")


class InvalidLayerPart(EcrError):
    code = "InvalidLayerPartException"

    def __init__(self, registry: Registry, repository: str, upload: object, received: int, reason: str) -> None:
        """`received`: how many bytes of the upload are there. Of none, there is no last valid one to tell."""
        last = {"lastValidByteReceived": received - 1} if received else {}
        super().__init__(reason, registryId=registry.account, repositoryName=repository, uploadId=str(upload), **last)
