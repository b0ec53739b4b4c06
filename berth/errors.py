"""Every error that the ECR API names and Berth answers: its code, its status and its exact text.

The codes are those of the API reference ("Errors" of each operation). The texts are the ones that ECR is seen to
answer; where none is on record, the text says in the same manner what is wrong.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from berth.names import Registry


class EcrError(Exception):
    """An error with the code, the status and the members that the API model gives it."""

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members


# An answer stays small, however much is missing.
_LISTED = 50


def listed(digests: Iterable[str]) -> str:
    """`[a, b]`, and of more than 50 digests how many more there are."""
    everyone = list(digests)
    more = f" and {len(everyone) - _LISTED} more" if len(everyone) > _LISTED else ""
    return f"[{', '.join(everyone[:_LISTED])}]{more}"


def _place(repository: str, registry: Registry) -> str:
    return f"the repository with name '{repository}' in the registry with id '{registry.account}'"


class ServerError(EcrError):
    code = "ServerException"
    status = 500


class AccessDenied(EcrError):
    """IAM user guide, "Troubleshoot access denied error messages"."""

    code = "AccessDeniedException"

    def __init__(self, principal: str, action: str, resource: str, because: str) -> None:
        super().__init__(
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} because {because}"
        )


class InvalidParameter(EcrError):
    code = "InvalidParameterException"

    def __init__(self, parameter: str, constraint: str) -> None:
        super().__init__(f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'")


class LimitExceeded(EcrError):
    code = "LimitExceededException"


class Unsupported(EcrError):
    """An operation of the model, or a choice in one, that Berth does not have."""

    code = "ValidationException"


# Repositories


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
        super().__init__(f"Repository policy does not exist for {_place(repository, registry)}")


class LifecyclePolicyNotFound(EcrError):
    code = "LifecyclePolicyNotFoundException"

    def __init__(self, registry: Registry, repository: str) -> None:
        super().__init__(f"Lifecycle policy does not exist for {_place(repository, registry)}")


class InvalidTagParameter(EcrError):
    code = "InvalidTagParameterException"


class TooManyTags(EcrError):
    code = "TooManyTagsException"


# Images


class ImageNotFound(EcrError):
    code = "ImageNotFoundException"

    def __init__(self, registry: Registry, repository: str, digest: str | None, tag: str | None) -> None:
        image_id = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
        super().__init__(
            f"The image with imageId {image_id} does not exist within the repository with name '{repository}' "
            f"in the registry with id '{registry.account}'"
        )


class ImageAlreadyExists(EcrError):
    code = "ImageAlreadyExistsException"

    def __init__(self, registry: Registry, repository: str, digest: str, tag: str | None) -> None:
        super().__init__(
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository "
            f"with name '{repository}' in registry with id '{registry.account}'"
        )


class ImageTagAlreadyExists(EcrError):
    code = "ImageTagAlreadyExistsException"

    def __init__(self, repository: str, tag: str) -> None:
        super().__init__(
            f"The image tag '{tag}' already exists in the '{repository}' repository "
            "and cannot be overwritten because the tag is immutable."
        )


class ImageDigestDoesNotMatch(EcrError):
    code = "ImageDigestDoesNotMatchException"

    def __init__(self, given: str, actual: str) -> None:
        super().__init__(f"The given image digest '{given}' does not match the digest of the manifest, '{actual}'")


class ReferencedImagesNotFound(EcrError):
    code = "ReferencedImagesNotFoundException"

    def __init__(self, registry: Registry, repository: str, digests: Iterable[str]) -> None:
        super().__init__(
            f"Images with digests '{listed(digests)}' required for pushing image into repository "
            f"with name '{repository}' in the registry with id '{registry.account}' do not exist"
        )


# Layers and uploads


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
        return cls(f"The layer with digest '{digest}' does not exist within {_place(repository, registry)}")


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
        super().__init__(f"The upload with id '{upload}' does not exist for {_place(repository, registry)}")


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

    def __init__(self, registry: Registry, repository: str, upload: object, last_valid_byte: int, reason: str) -> None:
        super().__init__(
            reason,
            registryId=registry.account,
            repositoryName=repository,
            uploadId=str(upload),
            lastValidByteReceived=last_valid_byte,
        )
