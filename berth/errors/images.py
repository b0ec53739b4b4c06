"""Images and what they reference."""

from collections.abc import Iterable

from berth.errors.base import EcrError, LimitExceeded, image_id_of, listed, place_of
from berth.names import Registry


class ImageNotFound(EcrError):
    code = "ImageNotFoundException"

    def __init__(self, registry: Registry, repository: str, digest: str | None, tag: str | None) -> None:
        super().__init__(
            f"The image with imageId {image_id_of(digest, tag)} does not exist "
            f"within the repository with name '{repository}' in the registry with id '{registry.account}'"
        )


class ManifestsTooLong(LimitExceeded):
    """A limit of Berth's own, so that no answer takes all memory: ECR documents none."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The manifests of the images asked for, each as often as it has tags, come to more than {most} bytes: "
            "ask for fewer at once, or by their tags"
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

    def __init__(
        self, registry: Registry, repository: str, digests: Iterable[str], fault: str = "do not exist"
    ) -> None:
        super().__init__(
            f"Images with digests '{listed(digests)}' required for pushing image into repository "
            f"with name '{repository}' in the registry with id '{registry.account}' {fault}"
        )


class ImageStorageClassUpdateNotSupported(EcrError):
    code = "ImageStorageClassUpdateNotSupportedException"

    def __init__(self, registry: Registry, repository: str, digest: str, target: str, because: str) -> None:
        super().__init__(
            f"The storage class of the image with digest '{digest}' in {place_of(repository, registry)} "
            f"cannot be updated to {target} because {because}"
        )
