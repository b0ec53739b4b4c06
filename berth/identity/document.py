"""The policy on a repository: from the JSON text that SetRepositoryPolicy takes to statements. Pure.

The shape is in `api-models/repository-policy.schema.json`; the names in it are checked here.
IAM user guide, "Grammar of the IAM JSON policy language"; ECR user guide, "Private repository policies".
"""

import re
from collections.abc import Iterator
from typing import Any

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
_SCHEMA = json_schemas.validator("repository-policy")


class InvalidRepositoryPolicy(InvalidParameter):
    """ECR's words, which clients look for (Terraform does), and after them, in a sentence of its own, the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__("PolicyText", "Invalid repository policy provided")
        self.message = f"{self.message}. {reason}"
        self.args = (self.message,)


def parse(text: str) -> PolicyDocument:
    """The policy that `text` describes. Raises InvalidRepositoryPolicy, and InvalidParameter for too long a text.

    Sids are neither unique nor alphanumeric here, as they are not in ECR (its own examples have blanks in them).
    """
    document = _read(text)
    entries = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    statements = tuple(_statement(f"Statement {number}", entry) for number, entry in enumerate(entries, 1))
    return PolicyDocument(document.get("Version", FIRST_VERSION), document.get("Id"), statements)


def normalize(text: str) -> str:
    """The text that ECR gives back for the policy `text`: the same members in the same order, pretty-printed.

    Raises as `parse` does for what is no policy at all.
    """
    return json_documents.pretty(_read(text))


def _read(text: str) -> dict[str, Any]:
    if len(text) > MAX_LENGTH:
        raise InvalidParameter("policyText", f"Member must have length less than or equal to {MAX_LENGTH}")
    try:
        document = json_documents.read(text)
    except json_documents.Malformed as malformed:
        raise InvalidRepositoryPolicy(f"The text is no JSON: {malformed}.") from None
    complaints = json_schemas.complaints(_SCHEMA, document)
    if complaints:
        raise InvalidRepositoryPolicy(f"At {complaints[0].place or '/'}: {complaints[0].words}.")
    checked: dict[str, Any] = document
    return checked


def _statement(place: str, entry: dict[str, Any]) -> Statement:
    principal = _one_of(place, entry, "Principal", "NotPrincipal")
    if principal == "NotPrincipal" and entry["Effect"] == "Allow":
        raise InvalidRepositoryPolicy(f"{place} has NotPrincipal with the Effect Allow, which IAM does not support.")
    action = _one_of(place, entry, "Action", "NotAction")
    principals = tuple(_principals(place, entry[principal]))
    actions = tuple(_actions(place, entry[action]))
    return Statement(
        sid=entry.get("Sid"),
        effect=entry["Effect"],
        principals=principals if principal == "Principal" else (),
        not_principals=principals if principal == "NotPrincipal" else (),
        actions=actions if action == "Action" else (),
        not_actions=actions if action == "NotAction" else (),
        resources=ITS_REPOSITORY,
        not_resources=(),
        conditions=tuple(_conditions(place, entry.get("Condition", {}))),
    )


def _one_of(place: str, entry: dict[str, Any], *names: str) -> str:
    given = [name for name in names if name in entry]
    if len(given) != 1:
        raise InvalidRepositoryPolicy(f"{place} must have exactly one of {' and '.join(names)}.")
    return given[0]


def _principals(place: str, value: Any) -> Iterator[NamedPrincipal]:
    if value == "*":
        yield EVERYBODY
        return
    for kind, names in value.items():
        for name in _listed(names):
            if not PRINCIPALS[kind].fullmatch(name):
                raise InvalidRepositoryPolicy(
                    f"{place} names the {kind} principal '{name[:200]}', which cannot be one."
                )
            yield NamedPrincipal(kind, name)


def _actions(place: str, value: Any) -> Iterator[str]:
    for action in _listed(value):
        if not ACTION.fullmatch(action) or action.lower() in REGISTRY_ACTIONS:
            raise InvalidRepositoryPolicy(f"{place} names '{action[:200]}', which is no action of ECR on a repository.")
        yield action


def _conditions(place: str, block: dict[str, dict[str, Any]]) -> Iterator[Condition]:
    for written, keys in block.items():
        parts = OPERATOR.fullmatch(written)
        if not parts:
            raise InvalidRepositoryPolicy(f"{place} has '{written[:200]}', which is no condition operator.")
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
