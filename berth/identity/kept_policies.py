"""Policies that Berth keeps, ready to be asked. Pure.

They were checked when they came, each as its kind asks for; here it only matters what they say.
"""

from collections.abc import Iterable

import structlog

from berth import json_documents
from berth.identity.documents import grammar
from berth.identity.documents.policy import PolicyDocument, Statement
from berth.identity.policies.compiled import Kind, Policies, Policy, compiled

log = structlog.get_logger()

# Of what a text takes, compiled, a part that is the same whatever it says, and bytes for each character.
POLICY_BYTES, CHARACTER_BYTES = 1024, 2
# The condition keys that stay what they are for as long as a principal has its credentials and nothing changes that is
# told (berth/changes/telling.py).
_LASTING = frozenset(
    {
        "aws:federatedprovider",
        "aws:multifactorauthpresent",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:sourceidentity",
        "aws:tokenissuetime",
        "aws:userid",
        "aws:username",
    }
)
_LASTING_TAGS = ("aws:principaltag/", "aws:resourcetag/", "ecr:resourcetag/")
# What a text says that Berth cannot read any more: it may have denied anything.
_DENIES_ALL = PolicyDocument(
    version=grammar.CURRENT_VERSION,
    id=None,
    statements=(Statement("Unreadable", "Deny", (), (), ("*",), (), ("*",), (), ()),),
)


def policies(kind: Kind, texts: Iterable[tuple[str, str]]) -> Policies:
    """The policies of one kind, of their names and their texts."""
    return Policies(kind, (Policy(name, compiled(text, read)) for name, text in texts))


def lasting(*several: Policies | None) -> bool:
    """Whether what they say depends on nothing that differs from one request to the next."""
    keys = (key for each in several if each is not None for policy in each.policies for key in policy.compiled.keys)
    return all(key in _LASTING or key.startswith(_LASTING_TAGS) for key in keys)


def size(texts: Iterable[str]) -> int:
    """What these take, in bytes, beside the compiled texts, which are shared."""
    return sum(POLICY_BYTES + CHARACTER_BYTES * len(text) for text in texts)


def read(text: str) -> PolicyDocument:
    """The policy that a text of the database describes; one that cannot be read any more denies everything."""
    try:
        return grammar.document(json_documents.read(text))
    except (KeyError, TypeError, ValueError, AttributeError):
        log.exception("a policy that is kept cannot be read: it denies everything")
        return _DENIES_ALL
