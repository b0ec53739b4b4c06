"""The form of every error, and those that are of no one room."""

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


def place_of(repository: str, registry: Registry) -> str:
    return f"the repository with name '{repository}' in the registry with id '{registry.account}'"


def image_id_of(digest: str | None, tag: str | None) -> str:
    return f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"


class ServerError(EcrError):
    code = "ServerException"
    status = 500


class AccessDenied(EcrError):
    """IAM user guide, "Troubleshoot access denied error messages"."""

    code = "AccessDeniedException"


class InvalidParameter(EcrError):
    code = "InvalidParameterException"

    def __init__(self, parameter: str, constraint: str) -> None:
        super().__init__(f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'")


class InvalidInput(EcrError):
    """The same where ECR says it in other words."""

    code = "InvalidParameterException"


class LimitExceeded(EcrError):
    code = "LimitExceededException"


class Unsupported(EcrError):
    """An operation of the model, or a choice in one, that Berth does not have."""

    code = "ValidationException"
