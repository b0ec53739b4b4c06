"""The policies that ECR keeps: from the JSON text that SetRepositoryPolicy and its like take to statements. Pure.

The shape of each kind is in `api-models/KIND-policy.schema.json`; the names in it are checked here.
IAM user guide, "Grammar of the IAM JSON policy language"; ECR user guide, "Private repository policies".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from jsonschema.protocols import Validator

from berth import json_documents, json_schemas
from berth.errors import InvalidParameter
from berth.identity.documents import grammar
from berth.identity.documents.policy import PolicyDocument

# ECR API reference, "SetRepositoryPolicy", `policyText`, in characters.
MAX_LENGTH = 10240
ACTION = re.compile(r"\*|ecr:[a-z0-9*?]+", re.IGNORECASE)
# It asks for no repository, so ECR refuses it in the policy of one.
REGISTRY_ACTIONS = frozenset({"ecr:getauthorizationtoken"})


class InvalidPolicy(InvalidParameter):
    """ECR's words, which clients look for (Terraform does), and after them, in a sentence of its own, the reason."""

    owner: ClassVar[str]

    def __init__(self, reason: str) -> None:
        super().__init__("PolicyText", f"Invalid {self.owner} policy provided")
        self.message = f"{self.message}. {reason}"
        self.args = (self.message,)


class InvalidRepositoryPolicy(InvalidPolicy):
    owner = "repository"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the policies of one kind may say.

    `actions` says of an action of ECR, in small letters, whether it may stand in one, and `about`, after "no action of
    ECR", why not. `resource` is the grammar of what a statement is about; None: a statement does not say it.
    """

    invalid: type[InvalidPolicy]
    schema: Validator
    about: str
    actions: Callable[[str], bool]
    resource: re.Pattern[str] | None = None


REPOSITORY = Kind(
    invalid=InvalidRepositoryPolicy,
    schema=json_schemas.validator("repository-policy"),
    about="on a repository",
    actions=lambda action: action not in REGISTRY_ACTIONS,
)


class _Wrong(Exception):
    """The reason why a text is no policy."""


def parse(text: str, kind: Kind = REPOSITORY) -> PolicyDocument:
    """The policy that `text` describes. Raises InvalidPolicy, and InvalidParameter for too long a text.

    Sids are neither unique nor alphanumeric here, as they are not in ECR (its own examples have blanks in them).
    """
    document = _read(text, kind)
    for number, entry in enumerate(grammar.entries(document), 1):
        try:
            _check(kind, f"Statement {number}", entry)
        except _Wrong as wrong:
            raise kind.invalid(str(wrong)) from None
    return grammar.document(document)


def normalize(text: str, kind: Kind = REPOSITORY) -> str:
    """The text that ECR gives back for the policy `text`: the same members in the same order, pretty-printed.

    Raises as `parse` does for what is no policy at all.
    """
    return json_documents.pretty(_read(text, kind))


def _read(text: str, kind: Kind) -> dict[str, Any]:
    if len(text) > MAX_LENGTH:
        raise InvalidParameter("policyText", f"Member must have length less than or equal to {MAX_LENGTH}")
    try:
        document = json_documents.read(text)
    except json_documents.Malformed as malformed:
        raise kind.invalid(f"The text is no JSON: {malformed}.") from None
    complaints = json_schemas.complaints(kind.schema, document)
    if complaints:
        raise kind.invalid(f"At {complaints[0].place or '/'}: {complaints[0].words}.")
    checked: dict[str, Any] = document
    return checked


def _check(kind: Kind, place: str, entry: dict[str, Any]) -> None:
    """Raises _Wrong for a statement that may not stand in a policy of that kind."""
    principal = _one_of(place, entry, "Principal", "NotPrincipal")
    if principal == "NotPrincipal" and entry["Effect"] == "Allow":
        raise _Wrong(f"{place} has NotPrincipal with the Effect Allow, which IAM does not support.")
    action = _one_of(place, entry, "Action", "NotAction")
    strange = grammar.strange_principal(entry[principal])
    if strange is not None:
        raise _Wrong(f"{place} names the {strange.kind} principal '{strange.name[:200]}', which cannot be one.")
    for name in grammar.listed(entry[action]):
        if not ACTION.fullmatch(name) or not kind.actions(name.lower()):
            raise _Wrong(f"{place} names '{name[:200]}', which is no action of ECR {kind.about}.")
    if kind.resource is not None:
        _check_resources(kind.resource, place, entry)
    operator = grammar.strange_operator(entry)
    if operator is not None:
        raise _Wrong(f"{place} has '{operator[:200]}', which is no condition operator.")


def _one_of(place: str, entry: dict[str, Any], *names: str) -> str:
    given = [name for name in names if name in entry]
    if len(given) != 1:
        raise _Wrong(f"{place} must have exactly one of {' and '.join(names)}.")
    return given[0]


def _check_resources(resource: re.Pattern[str], place: str, entry: dict[str, Any]) -> None:
    member = _one_of(place, entry, "Resource", "NotResource")
    for name in grammar.listed(entry[member]):
        if not resource.fullmatch(name):
            raise _Wrong(f"{place} names the resource '{name[:200]}', which is no ARN of ECR.")
