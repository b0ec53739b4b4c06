"""How a request names images, by digest or by tag or by both, and what ECR says of a name that is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from berth.errors import InvalidParameter
from berth.names import Digest, NameInvalid, Tag
from controlplane.wire.model import Members

# The patterns as ECR shows them; what it takes is the grammar in berth.names.
TAG_PATTERN = "[a-zA-Z0-9-_.]+"
DIGEST_PATTERN = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
NO_NAME = "both tag and digest cannot be null"


class IdInvalid(Exception):
    """An image id that names no image; `code` is one of the API's ImageFailureCode."""

    def __init__(self, code: str, parameter: str, constraint: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.parameter = parameter
        self.constraint = constraint
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImageId:
    """ECR API reference, "ImageIdentifier"; at least one of both is there."""

    digest: Digest | None
    tag: Tag | None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """Raises IdInvalid."""
        digest, tag = given.get("imageDigest"), given.get("imageTag")
        if digest is None and tag is None:
            raise IdInvalid("MissingDigestAndTag", "imageIds", NO_NAME, f"Invalid request parameters: {NO_NAME}")
        return cls(
            None if digest is None else read_digest(digest),
            None if tag is None else read_tag(tag),
        )

    @classmethod
    def required(cls, given: Mapping[str, str]) -> Self:
        """The same for an operation on one image. Raises InvalidParameter."""
        try:
            return cls.read(given)
        except IdInvalid as invalid:
            raise refused(invalid) from None

    def resolve(self, by_tag: Mapping[str, Digest]) -> Digest | None:
        """The digest that is meant, by the repository's tags; None where it has no such tag. Raises IdInvalid."""
        if self.tag is None:
            return self.digest
        current = by_tag.get(self.tag)
        if current is not None and self.digest not in (None, current):
            constraint = "given tag does not map to the given digest"
            reason = f"Invalid request parameters: {constraint}"
            raise IdInvalid("ImageTagDoesNotMatchDigest", "imageIds", constraint, reason)
        return current


def read_digest(text: str) -> Digest:
    """Raises IdInvalid."""
    try:
        return Digest.parse(text)
    except NameInvalid:
        raise _outside_the_pattern("InvalidImageDigest", "imageDigest", "image digest", DIGEST_PATTERN) from None


def read_tag(text: str) -> Tag:
    """Raises IdInvalid."""
    try:
        return Tag.parse(text)
    except NameInvalid:
        raise _outside_the_pattern("InvalidImageTag", "imageTag", "image tag", TAG_PATTERN) from None


def refused(invalid: IdInvalid) -> InvalidParameter:
    """The same for an operation that does all or nothing."""
    return InvalidParameter(invalid.parameter, invalid.constraint)


def failure(given: Members, code: str, reason: str) -> Members:
    """ECR API reference, "ImageFailure"."""
    return {"imageId": given, "failureCode": code, "failureReason": reason}


def not_found(given: Members) -> Members:
    return failure(given, "ImageNotFound", "Requested image not found")


def shown(digest: Digest, tag: Tag | None) -> Members:
    """ECR API reference, "ImageIdentifier"."""
    return {"imageDigest": digest, "imageTag": tag}


def _outside_the_pattern(code: str, parameter: str, what: str, pattern: str) -> IdInvalid:
    return IdInvalid(
        code,
        parameter,
        f"must satisfy regular expression '{pattern}'",
        f"Invalid request parameters: {what} should satisfy the regex '{pattern}'",
    )
