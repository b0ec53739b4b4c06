"""Trust policies of roles, as CreateRole and UpdateAssumeRolePolicy take them. Pure.

IAM user guide, "Roles terms and concepts", "AWS JSON policy elements: Principal"; the words are IAM's own, but for
those of `shared_providers`.
"""

from typing import Any

from berth import json_schemas
from berth.identity import shared_providers
from berth.identity.documents import grammar, iam_documents
from berth.identity.documents.policy import PolicyDocument
from berth.identity.policies.globs import glob

_SCHEMA = json_schemas.validator("trust-policy")
# STS API reference; the last three go with one of the others.
ACTIONS = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:assumeroot",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
)


def parse(text: str) -> PolicyDocument:
    """The policy that `text` describes. Raises MalformedPolicyDocument.

    Whether the principals that it names are there is for the caller to see.
    """
    document = iam_documents.read(text, _SCHEMA)
    iam_documents.check(
        grammar.entries(document),
        iam_documents.effects,
        iam_documents.dates,
        _resources,
        iam_documents.sids,
        _principals,
        iam_documents.vendors,
        iam_documents.actions,
        _actions,
        shared_providers.lacking,
    )
    return grammar.document(document)


def invalid_principal(kind: str, name: str) -> str:
    """What IAM says of a principal that cannot be, or is not there."""
    return f'Invalid principal in policy: "{kind}":"{name[:200]}"'


def _resources(entries: list[dict[str, Any]]) -> str | None:
    prohibited = (name for entry in entries for name in ("Resource", "NotResource") if name in entry)
    return next((f"Has prohibited field {name}" for name in prohibited), None)


def _principals(entries: list[dict[str, Any]]) -> str | None:
    for entry in entries:
        if "Principal" not in entry and "NotPrincipal" not in entry:
            return "Missing required field Principal"
        if "NotPrincipal" in entry and entry["Effect"] == "Allow":
            return iam_documents.SYNTAX_ERRORS
        named = entry.get("Principal", entry.get("NotPrincipal"))
        if named == "*":
            return 'AssumeRolepolicy contained an invalid principal: "STAR".'
        strange = grammar.strange_principal(named)
        if strange is not None:
            return invalid_principal(strange.kind, strange.name)
    return None


def _actions(entries: list[dict[str, Any]]) -> str | None:
    for action in iam_documents.said(entries, "Action", "NotAction"):
        matches = glob(action.lower())
        if not action.lower().startswith("sts:") or not any(matches(known) for known in ACTIONS):
            return "AssumeRole policy may only specify STS AssumeRole actions."
    return None
