"""Identity-based policies, as CreatePolicy, PutUserPolicy and their like take them; boundaries, session policies and
service control policies are written in the same way. Pure.

IAM user guide, "Grammar of the IAM JSON policy language", "Identity-based policies"; the words are IAM's own.
"""

import re
from typing import Any

from berth import json_schemas
from berth.errors import MalformedPolicyDocument
from berth.identity.documents import grammar, iam_documents
from berth.identity.documents.policy import PolicyDocument

_SCHEMA = json_schemas.validator("identity-policy")
_PARTITION = re.compile(r"aws(-[a-z]+)*|\*")
_COMPONENTS = 6
# arn, partition, vendor, region, account.
_VENDOR, _REGION = 2, 3
_IAM_PATHS = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
    "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
)  # fmt: skip


def parse(text: str) -> PolicyDocument:
    """The policy that `text` describes. Raises MalformedPolicyDocument."""
    return _parsed(text, least_version=grammar.FIRST_VERSION)


def parse_managed(text: str) -> PolicyDocument:
    """The same for a managed policy, which has to be written in the current language."""
    return _parsed(text, least_version=grammar.CURRENT_VERSION)


def _parsed(text: str, least_version: str) -> PolicyDocument:
    document = iam_documents.read(text, _SCHEMA)
    if document.get("Version", grammar.FIRST_VERSION) < least_version:
        raise MalformedPolicyDocument(f"Policy document must be version {least_version} or greater.")
    iam_documents.check(
        grammar.entries(document),
        iam_documents.effects,
        _legacy_resources,
        iam_documents.dates,
        _principals,
        iam_documents.sids,
        _resources,
        iam_documents.vendors,
        iam_documents.actions,
        _lacking_resources,
    )
    return grammar.document(document)


def _principals(entries: list[dict[str, Any]]) -> str | None:
    named = any("Principal" in entry or "NotPrincipal" in entry for entry in entries)
    return "Policy document should not specify a principal." if named else None


def _legacy_resources(entries: list[dict[str, Any]]) -> str | None:
    """An ARN that breaks off between its vendor and its resource."""
    written = [text.split(":", _COMPONENTS - 1) for text in iam_documents.said(entries, "Resource", "NotResource")]
    arns = [parts for parts in written if parts[0] == "arn" and len(parts) > _VENDOR and _PARTITION.fullmatch(parts[1])]
    broken = any(not parts[_VENDOR] or len(parts) in {_COMPONENTS - 2, _COMPONENTS - 1} for parts in arns)
    return iam_documents.LEGACY if broken else None


def _resources(entries: list[dict[str, Any]]) -> str | None:
    told = (_resource(text) for text in iam_documents.said(entries, "Resource", "NotResource"))
    return next((words for words in told if words is not None), None)


def _resource(text: str) -> str | None:
    if text == "*":
        return None
    start, colon, rest = text.partition(":")
    if not colon or not start:
        return f'Resource {text[:200]} must be in ARN format or "*".'
    components = rest.split(":", _COMPONENTS - 2)
    # What is missing at the end, IAM takes for `*`.
    arn = ["arn", *components, *["*"] * (_COMPONENTS - 1 - len(components))]
    if start != "arn" or not _PARTITION.fullmatch(arn[1]):
        return f'Partition "{arn[1][:200]}" is not valid for resource "{":".join(arn)[:400]}".'
    if len(components) <= _VENDOR - 1 or ("*" in arn[_VENDOR] and arn[_VENDOR] != "*"):
        return "Resource vendor must be fully qualified and cannot contain regexes."
    return _of_vendor(text, arn)


def _of_vendor(text: str, arn: list[str]) -> str | None:
    """What IAM knows about the ARNs of itself and of S3."""
    vendor, region, path = arn[_VENDOR], arn[_REGION], arn[-1]
    if vendor == "iam" and region not in {"", "*"}:
        return f"IAM resource {text[:400]} cannot contain region information."
    if vendor == "s3" and region not in {"", "*"}:
        return f"Resource {text[:400]} can not contain region information."
    if vendor == "iam" and path not in {"*", "root"} and not path.startswith(_IAM_PATHS):
        return f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.'
    return None


def _lacking_resources(entries: list[dict[str, Any]]) -> str | None:
    lacking = any(not iam_documents.said([entry], "Resource", "NotResource") for entry in entries)
    return "Policy statement must contain resources." if lacking else None
