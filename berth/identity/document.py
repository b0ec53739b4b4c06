"""The policies that ECR keeps: from the JSON text that SetRepositoryPolicy and its like take to statements. Pure.

The shape of each kind is in `api-models/KIND-policy.schema.json`; the names in it are checked here.
IAM user guide, "Grammar of the IAM JSON policy language"; ECR user guide, "Private repository policies".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jsonschema.protocols import Validator

from berth import json_documents, json_schemas
from berth.errors import InvalidParameter
from berth.identity.policy import EVERYBODY, Condition, NamedPrincipal, PolicyDocument, Statement

# ECR API reference, "SetRepositoryPolicy", `policyText`, in characters.
MAX_LENGTH = 10240
# IAM user guide, "Version": the language of a document that names none.
FIRST_VERSION = "2008-10-17"
# A repository policy speaks of its own repository only, whether it says so or not.
ITS_REPOSITORY = ("*",)

ACTION = re.compile(r"\*|ecr:[a-z0-9*?]+", re.IGNORECASE)
# It asks for no repository, so ECR refuses it in the policy of one.
REGISTRY_ACTIONS = frozenset({"ecr:getauthorizationtoken"})
_PATH = r"[\w+=,.@/-]+"
PRINCIPALS = {
    "AWS": re.compile(
        r"\*|[0-9]{12}"
        rf"|arn:aws(-[a-z]+)*:iam::[0-9]{{12}}:(root|(user|role)/{_PATH})"
        rf"|arn:aws(-[a-z]+)*:sts::[0-9]{{12}}:(assumed-role|federated-user)/{_PATH}",
        re.ASCII,
    ),
    "Service": re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.[a-z]+(\.[a-z]+)?"),
    "Federated": re.compile(
        rf"[a-z0-9-]+(\.[a-z0-9-]+)+|arn:aws(-[a-z]+)*:iam::[0-9]{{12}}:(oidc|saml)-provider/{_PATH}", re.ASCII
    ),
    "CanonicalUser": re.compile(r"[0-9a-f]{64}"),
}
# IAM user guide, "IAM JSON policy elements: Condition operators".
_OPERATORS = (
    "String(Not)?Equals(IgnoreCase)?|String(Not)?Like|(Numeric|Date)((Not)?Equals|(LessThan|GreaterThan)(Equals)?)"
    "|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like)"
)
OPERATOR = re.compile(
    rf"((?P<quantifier>ForAllValues|ForAnyValue):)?((?P<operator>{_OPERATORS})(?P<if_exists>IfExists)?|(?P<null>Null))"
)


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
    entries = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    try:
        statements = tuple(_statement(kind, f"Statement {number}", entry) for number, entry in enumerate(entries, 1))
    except _Wrong as wrong:
        raise kind.invalid(str(wrong)) from None
    return PolicyDocument(document.get("Version", FIRST_VERSION), document.get("Id"), statements)


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


def _statement(kind: Kind, place: str, entry: dict[str, Any]) -> Statement:
    principal = _one_of(place, entry, "Principal", "NotPrincipal")
    if principal == "NotPrincipal" and entry["Effect"] == "Allow":
        raise _Wrong(f"{place} has NotPrincipal with the Effect Allow, which IAM does not support.")
    action = _one_of(place, entry, "Action", "NotAction")
    principals = tuple(_principals(place, entry[principal]))
    actions = tuple(_actions(kind, place, entry[action]))
    resources, not_resources = _resources(kind, place, entry)
    return Statement(
        sid=entry.get("Sid"),
        effect=entry["Effect"],
        principals=principals if principal == "Principal" else (),
        not_principals=principals if principal == "NotPrincipal" else (),
        actions=actions if action == "Action" else (),
        not_actions=actions if action == "NotAction" else (),
        resources=resources,
        not_resources=not_resources,
        conditions=tuple(_conditions(place, entry.get("Condition", {}))),
    )


def _one_of(place: str, entry: dict[str, Any], *names: str) -> str:
    given = [name for name in names if name in entry]
    if len(given) != 1:
        raise _Wrong(f"{place} must have exactly one of {' and '.join(names)}.")
    return given[0]


def _principals(place: str, value: Any) -> Iterator[NamedPrincipal]:
    if value == "*":
        yield EVERYBODY
        return
    for kind, names in value.items():
        for name in _listed(names):
            if not PRINCIPALS[kind].fullmatch(name):
                raise _Wrong(f"{place} names the {kind} principal '{name[:200]}', which cannot be one.")
            yield NamedPrincipal(kind, name)


def _actions(kind: Kind, place: str, value: Any) -> Iterator[str]:
    for action in _listed(value):
        if not ACTION.fullmatch(action) or not kind.actions(action.lower()):
            raise _Wrong(f"{place} names '{action[:200]}', which is no action of ECR {kind.about}.")
        yield action


def _resources(kind: Kind, place: str, entry: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the statement is about, and what it is not about."""
    if kind.resource is None:
        return ITS_REPOSITORY, ()
    member = _one_of(place, entry, "Resource", "NotResource")
    resources = tuple(_listed(entry[member]))
    for resource in resources:
        if not kind.resource.fullmatch(resource):
            raise _Wrong(f"{place} names the resource '{resource[:200]}', which is no ARN of ECR.")
    return (resources, ()) if member == "Resource" else ((), resources)


def _conditions(place: str, block: dict[str, dict[str, Any]]) -> Iterator[Condition]:
    for written, keys in block.items():
        parts = OPERATOR.fullmatch(written)
        if not parts:
            raise _Wrong(f"{place} has '{written[:200]}', which is no condition operator.")
        for key, values in keys.items():
            yield Condition(
                quantifier=parts["quantifier"],
                operator=parts["operator"] or parts["null"],
                if_exists=parts["if_exists"] is not None,
                key=key,
                values=tuple(_as_text(value) for value in _listed(values)),
            )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
