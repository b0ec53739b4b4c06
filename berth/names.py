"""The names of things, each with its grammar: registry, repository, tag, digest, ARN.

A value of one of these types is well-formed; `parse` is the only way in from outside.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

# ECR API reference, "CreateRepository", `repositoryName`.
REPOSITORY_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
REPOSITORY_NAME_LENGTH = range(2, 257)
# OCI Distribution 1.1, "Pulling manifests": the grammar of <reference> as a tag.
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# OCI Image 1.1, "Digests": the registered algorithms.
DIGEST_LENGTHS = {"sha256": 64, "sha512": 128}
ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
# Path style keeps `ACCOUNT/REGION/NAME` for the registries that are not the default one.
PATH_STYLE_PREFIX = re.compile(r"[0-9]{12}/[a-z]{2}(-[a-z]+)+-[0-9]{1,2}(/|$)")


class NameInvalid(ValueError):
    """A name that does not have the grammar of its kind."""


class RepositoryName(str):
    """The name of a repository in its registry, such as `team/app`; 2 to 256 characters."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if len(text) not in REPOSITORY_NAME_LENGTH or not REPOSITORY_NAME.fullmatch(text):
            raise NameInvalid(f"'{text[:300]}' is not a repository name")
        return cls(text)


class Tag(str):
    """The tag of an image; 1 to 128 characters."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if not TAG.fullmatch(text):
            raise NameInvalid(f"'{text[:300]}' is not a tag")
        return cls(text)


class Digest(str):
    """The digest of some bytes, `algorithm:hex`, with one of the algorithms that OCI Image 1.1 registers."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        algorithm, _, encoded = text.partition(":")
        if DIGEST_LENGTHS.get(algorithm) != len(encoded) or not re.fullmatch(r"[0-9a-f]+", encoded):
            raise NameInvalid(f"'{text[:300]}' is not a digest")
        return cls(text)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        return cls(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        return self.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Registry:
    """One account's registry in one region; every repository belongs to one."""

    account: str
    region: str

    @classmethod
    def parse(cls, account: str, region: str) -> Self:
        if not ACCOUNT.fullmatch(account):
            raise NameInvalid(f"'{account[:20]}' is not an account id of 12 digits")
        if not REGION.fullmatch(region):
            raise NameInvalid(f"'{region[:40]}' is not a region")
        return cls(account, region)

    @property
    def partition(self) -> str:
        """The ARN partition (IAM user guide, "Amazon Resource Names")."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    def arn(self, repository: str) -> str:
        return f"arn:{self.partition}:ecr:{self.region}:{self.account}:repository/{repository}"


@dataclass(frozen=True, slots=True)
class RepositoryArn:
    """`arn:PARTITION:ecr:REGION:ACCOUNT:repository/NAME`."""

    registry: Registry
    name: RepositoryName

    @classmethod
    def parse(cls, text: str) -> Self:
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "ecr" or not parts[5].startswith("repository/"):
            raise NameInvalid(f"'{text[:300]}' is not the ARN of a repository")
        registry = Registry.parse(parts[4], parts[3])
        if parts[1] != registry.partition:
            raise NameInvalid(f"'{text[:300]}' names a partition that its region is not in")
        return cls(registry, RepositoryName.parse(parts[5].removeprefix("repository/")))
