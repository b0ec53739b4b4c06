"""A repository creation template, and which one a new repository gets. Pure.

ECR API reference, "CreateRepositoryCreationTemplate".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from berth import prefixes
from berth.errors import InvalidInput, InvalidTagParameter, TooManyTags
from berth.identity import roles
from berth.identity.documents import ecr_document
from berth.lifecycle import document as lifecycle_document
from berth.names import Registry
from berth.repositories import encryption, resource_tags
from berth.repositories.encryption import AES256
from berth.repositories.mutability import Mode, Mutability


class AppliedFor(StrEnum):
    """Why a registry creates a repository by itself."""

    REPLICATION = "REPLICATION"
    PULL_THROUGH_CACHE = "PULL_THROUGH_CACHE"
    CREATE_ON_PUSH = "CREATE_ON_PUSH"


@dataclass(frozen=True, slots=True)
class Template:
    """The settings of the repositories whose names begin with `prefix`; the policies are texts as ECR gives them back.

    `encryption` has a key only where one was named.
    """

    prefix: str
    applied_for: tuple[AppliedFor, ...]
    description: str | None = None
    encryption: Mapping[str, str] = field(default_factory=lambda: AES256)
    mutability: Mutability = field(default_factory=lambda: Mutability(Mode.MUTABLE))
    tags: Mapping[str, str] = field(default_factory=dict)
    repository_policy: str | None = None
    lifecycle_policy: str | None = None
    role: str | None = None

    @property
    def key(self) -> str:
        """By which templates are found and put in order."""
        return prefixes.without_slash(self.prefix)


def template_for(templates: Iterable[Template], repository_name: str, applied_for: AppliedFor) -> Template | None:
    """The template of the closest prefix that the repository's name begins with, ROOT where there is no closer one.

    Only those count that are applied for such repositories.
    """
    applied = {template.key: template for template in templates if applied_for in template.applied_for}
    return next((applied[prefix] for prefix in prefixes.matching(repository_name) if prefix in applied), None)


def change_mutability(old: Mutability, mode: str | None, filters: Sequence[Mapping[str, str]] | None) -> Mutability:
    """What is None stays as it is, but for filters that the new mode does not take. Raises InvalidParameter."""
    if mode is None:
        return old if filters is None else Mutability.of(Mode.MUTABLE, filters)
    if filters is None and Mode(mode).takes_filters:
        return Mutability.of(mode, old.filters_as_json())
    return Mutability.of(mode, filters)


def parse_encryption(registry: Registry, given: Mapping[str, str]) -> dict[str, str]:
    """The encryption as it is kept: an empty key is none. Raises InvalidParameter."""
    kept = {name: value for name, value in given.items() if value}
    encryption.parse(registry, kept)
    return kept


def parse_tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Key to value. Raises InvalidInput, which is the one error for it that these operations have."""
    try:
        return resource_tags.parse(given)
    except (InvalidTagParameter, TooManyTags) as error:
        raise InvalidInput(error.message) from None


def parse_repository_policy(text: str) -> str | None:
    """None for no text. Raises InvalidRepositoryPolicy, InvalidParameter."""
    if not text:
        return None
    ecr_document.parse(text)
    return ecr_document.normalize(text)


def parse_lifecycle_policy(text: str) -> str | None:
    """None for no text. Raises InvalidParameter."""
    return lifecycle_document.serialize(lifecycle_document.parse(text)) if text else None


def parse_role(registry: Registry, arn: str) -> str | None:
    """None for no text. Raises InvalidParameter for what is no role of the registry's account."""
    if arn:
        roles.check(registry, arn)
    return arn or None


def parse_applied_for(given: Sequence[str]) -> tuple[AppliedFor, ...]:
    return tuple(dict.fromkeys(AppliedFor(one) for one in given))
