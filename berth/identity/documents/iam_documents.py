"""What all the policies that IAM keeps have in common: how they are read, and in which words they are refused. Pure.

IAM stops at the first thing that it finds wrong, in the order in which this looks.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from jsonschema.protocols import Validator

from berth import json_documents, json_schemas
from berth.errors import MalformedPolicyDocument
from berth.identity.documents import grammar
from berth.identity.policies import values

SYNTAX_ERRORS = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
# Longer than any policy may be, its white space included.
_MOST_CHARACTERS = 131072
_SID = re.compile(r"[A-Za-z0-9]*")
_VENDOR = re.compile(r"[a-zA-Z0-9.-]+")
_DATE = re.compile(r"((ForAllValues|ForAnyValue):)?Date.*")


def read(text: str, schema: Validator) -> dict[str, Any]:
    """The document in `text`, of the shape that `schema` asks for. Raises MalformedPolicyDocument."""
    if len(text) > _MOST_CHARACTERS:
        raise MalformedPolicyDocument(SYNTAX_ERRORS)
    try:
        document: dict[str, Any] = json_documents.read(text)
    except json_documents.Malformed:
        raise MalformedPolicyDocument(SYNTAX_ERRORS) from None
    if json_schemas.complaints(schema, document) or any(map(_has_strange_operator, grammar.entries(document))):
        raise MalformedPolicyDocument(SYNTAX_ERRORS)
    return document


def check(entries: list[dict[str, Any]], *checks: Callable[[list[dict[str, Any]]], str | None]) -> None:
    """Raises MalformedPolicyDocument with what the first of `checks` has to say about the statements, if any has."""
    for complain in checks:
        words = complain(entries)
        if words is not None:
            raise MalformedPolicyDocument(words)


def effects(entries: list[dict[str, Any]]) -> str | None:
    return LEGACY if any(entry["Effect"] not in {"Allow", "Deny"} for entry in entries) else None


def dates(entries: list[dict[str, Any]]) -> str | None:
    """A moment that is none."""
    blocks = [entry.get("Condition", {}) for entry in entries]
    keys = [keys for block in blocks for operator, keys in block.items() if _DATE.fullmatch(operator)]
    written = [value for each in keys for several in each.values() for value in grammar.listed(several)]
    return LEGACY if any(values.moment(str(value)) is None for value in written) else None


def sids(entries: list[dict[str, Any]]) -> str | None:
    given = [entry["Sid"] for entry in entries if entry.get("Sid")]
    if not all(map(_SID.fullmatch, given)):
        return (
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[A-Za-z0-9]*"
        )
    return "Statement IDs (SID) in a single policy must be unique." if len(set(given)) < len(given) else None


def vendors(entries: list[dict[str, Any]]) -> str | None:
    """What stands before the colon of an action."""
    for action in said(entries, "Action", "NotAction"):
        vendor, colon, name = action.partition(":")
        if action == "*":
            continue
        if not colon:
            return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        if not _VENDOR.fullmatch(vendor):
            return f"Vendor {vendor[:200]} is not valid"
        if ":" in name:
            return "Actions/Condition can contain only one colon."
    return None


def actions(entries: list[dict[str, Any]]) -> str | None:
    lacking = any(not said([entry], "Action", "NotAction") for entry in entries)
    return "Policy statement must contain actions." if lacking else None


def said(entries: Iterable[dict[str, Any]], *members: str) -> list[str]:
    """What the statements say under these names."""
    return [text for entry in entries for member in members for text in grammar.listed(entry.get(member, []))]


def _has_strange_operator(entry: dict[str, Any]) -> bool:
    """An operator without any key does no harm, to IAM."""
    asked = {operator: keys for operator, keys in entry.get("Condition", {}).items() if keys}
    return grammar.strange_operator({"Condition": asked}) is not None
