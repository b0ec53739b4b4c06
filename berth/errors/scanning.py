"""Scanning."""

from berth.errors.base import EcrError, image_id_of, place_of
from berth.names import Registry


class ScanNotFound(EcrError):
    code = "ScanNotFoundException"

    def __init__(self, registry: Registry, repository: str, digest: str | None, tag: str | None) -> None:
        super().__init__(
            f"Image scan does not exist for the image with '{image_id_of(digest, tag)}' "
            f"in {place_of(repository, registry)}"
        )


class UnsupportedImageType(EcrError):
    code = "UnsupportedImageTypeException"

    def __init__(self, media_type: str) -> None:
        super().__init__(
            f"An artifact with media type '{media_type}' cannot be scanned. "
            "For more information, see the Amazon ECR documentation."
        )


class ImageArchived(EcrError):
    code = "ImageArchivedException"

    def __init__(self) -> None:
        super().__init__("The specified image is archived and cannot be scanned.")


class ScanningDisabled(EcrError):
    """What ECR says where it may not scan on demand, and why that is so here."""

    code = "ValidationException"

    def __init__(self) -> None:
        super().__init__("This feature is disabled. This registry has no scanner.")
