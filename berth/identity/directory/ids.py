"""Unique ids, never used again (IAM user guide, "IAM identifiers", "Unique identifiers"). Pure."""

import secrets
import string

USER = "AIDA"
GROUP = "AGPA"
ROLE = "AROA"
POLICY = "ANPA"
ACCESS_KEY = "AKIA"

_ALPHABET = string.ascii_uppercase + "234567"
_LENGTH = 21
_KEY_LENGTH = 20


def new(prefix: str) -> str:
    """An id such as AIDA and 17 characters; of an access key, 16."""
    length = _KEY_LENGTH if prefix == ACCESS_KEY else _LENGTH
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length - len(prefix)))
