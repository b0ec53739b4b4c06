"""The grammar of IAM's JSON that the policies of all kinds share: from a checked document to statements. Pure.

What each kind may say beside it, and in which words it is refused, is in the modules named `…document`.
IAM user guide, "Grammar of the IAM JSON policy language".
"""

import re
from collections.abc import Iterator
from typing import Any

from berth.identity.documents.policy import EVERYBODY, Condition, NamedPrincipal, PolicyDocument, Statement

# IAM user guide, "Version": the language of a document that names none.
FIRST_VERSION = "2008-10-17"
CURRENT_VERSION = "2012-10-17"
# A policy on a resource that names none is about its own.
ITS_RESOURCE = ("*",)
_NAME = r"[\w+=,.@-]+"
_PATH = r"[\w+=,.@/-]+"
# A provider of one's own network may have a port.
_PROVIDER = r"[\w+=,.@/:~-]+"
PRINCIPALS = {
    "AWS": re.compile(
        r"\*|[0-9]{12}"
        rf"|arn:aws(-[a-z]+)*:iam::[0-9]{{12}}:(root|(user|role)/{_PATH})"
        rf"|arn:aws(-[a-z]+)*:sts::[0-9]{{12}}:(assumed-role/{_NAME}|federated-user)/{_NAME}",
        re.ASCII,
    ),
    "Service": re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.[a-z]+(\.[a-z]+)?"),
    "Federated": re.compile(
        rf"[a-z0-9-]+(\.[a-z0-9-]+)+|arn:aws(-[a-z]+)*:iam::[0-9]{{12}}:(oidc|saml)-provider/{_PROVIDER}", re.ASCII
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


def document(checked: dict[str, Any]) -> PolicyDocument:
    """The policy that a document of a valid shape, with operators that there are, describes."""
    statements = tuple(statement(entry) for entry in entries(checked))
    return PolicyDocument(checked.get("Version", FIRST_VERSION), checked.get("Id"), statements)


def entries(checked: dict[str, Any]) -> list[dict[str, Any]]:
    """Its statements as they are written: one needs no list."""
    return listed(checked["Statement"])


def statement(entry: dict[str, Any]) -> Statement:
    not_resources = tuple(listed(entry.get("NotResource", [])))
    return Statement(
        sid=entry.get("Sid"),
        effect=entry["Effect"],
        principals=tuple(principals(entry.get("Principal", {}))),
        not_principals=tuple(principals(entry.get("NotPrincipal", {}))),
        actions=tuple(listed(entry.get("Action", []))),
        not_actions=tuple(listed(entry.get("NotAction", []))),
        resources=() if not_resources else tuple(listed(entry.get("Resource", []))) or ITS_RESOURCE,
        not_resources=not_resources,
        conditions=tuple(_conditions(entry.get("Condition", {}))),
    )


def principals(value: Any) -> Iterator[NamedPrincipal]:
    if value == "*":
        yield EVERYBODY
        return
    for kind, names in value.items():
        for name in listed(names):
            yield NamedPrincipal(kind, name)


def strange_principal(value: Any) -> NamedPrincipal | None:
    """The first that cannot be one."""
    return next((found for found in principals(value) if not PRINCIPALS[found.kind].fullmatch(found.name)), None)


def strange_operator(entry: dict[str, Any]) -> str | None:
    """The first condition operator of a statement that is none."""
    return next((written for written in entry.get("Condition", {}) if not OPERATOR.fullmatch(written)), None)


def _conditions(block: dict[str, dict[str, Any]]) -> Iterator[Condition]:
    for written, keys in block.items():
        parts = OPERATOR.fullmatch(written)
        if parts is None:
            continue
        for key, values in keys.items():
            yield Condition(
                quantifier=parts["quantifier"],
                operator=parts["operator"] or parts["null"],
                if_exists=parts["if_exists"] is not None,
                key=key,
                values=tuple(_as_text(value) for value in listed(values)),
            )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
