"""What a registry holds, and how it is asked."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from tests.stateful.catalog import Image

Members = dict[str, Any]
ANYTHING = mock.ANY


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Held:
    """An image in a repository; moments are counted, and None is never."""

    image: Image
    size: int
    archived: bool = False
    was_archived: int | None = None
    was_restored: bool = False
    was_pulled: bool = False


@dataclass
class Upload:
    content: bytes = b""
    last_part_is_small: bool = False
    small_part_before_another: bool = False


@dataclass
class Repository:
    name: str
    tags: dict[str, str]
    mutability: str
    exclusions: list[str]
    scan_on_push: bool
    policy: str | None = None
    lifecycle_policy: str | None = None
    images: dict[str, Held] = field(default_factory=dict)
    # Of each tag, the digest that it names.
    named: dict[str, str] = field(default_factory=dict)
    # Of each layer, its size and when it was pushed.
    layers: dict[str, tuple[int, int]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def tags_of(self, digest: str) -> list[str]:
        return sorted(tag for tag, named in self.named.items() if named == digest)

    def indexes_over(self, digest: str) -> list[Held]:
        return [held for held in self.images.values() if digest in {child.digest for child in held.image.children}]


# Given the registry and the members of the request, and of a listing the key of the row that the page comes after.
Operation = Callable[..., Members]
OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    def mark(function: Operation) -> Operation:
        OPERATIONS[name] = function
        return function

    return mark


class Ecr:
    """The registry of one account in one region."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.repositories: dict[str, Repository] = {}
        self._moments = itertools.count()

    def call(self, name: str, members: Members, *after: Any) -> Members:
        """Raises Refused."""
        return OPERATIONS[name](self, members, *after)

    def now(self) -> int:
        return next(self._moments)

    def arn(self, name: str) -> str:
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{name}"

    def repository(self, members: Members) -> Repository:
        """That which `repositoryName` or `resourceArn` names."""
        name = members.get("repositoryName") or members["resourceArn"].partition("repository/")[2]
        if name not in self.repositories:
            raise Refused("RepositoryNotFoundException")
        return self.repositories[name]

    def place(self, repository: Repository) -> Members:
        """What nearly every answer begins with."""
        return {"registryId": self.account, "repositoryName": repository.name}


def page(rows: list[Any], size: int, after: Any = None) -> tuple[list[Any], bool]:
    """The first rows of those that come after `after`, and whether there are more; they are in order."""
    left = [row for row in rows if after is None or row > after]
    return left[:size], len(left) > size
