"""Unique ids, never used again (IAM user guide, "IAM identifiers", "Unique identifiers"). Pure."""

import base64
import re
import secrets
import string

USER = "AIDA"
GROUP = "AGPA"
ROLE = "AROA"
POLICY = "ANPA"
ACCESS_KEY = "AKIA"
TEMPORARY_KEY = "ASIA"

_ALPHABET = string.ascii_uppercase + "234567"
_LENGTH = 21
_KEY_LENGTH = 20


def new(prefix: str) -> str:
    """An id such as AIDA and 17 characters; of an access key, 16."""
    length = _KEY_LENGTH if prefix == ACCESS_KEY else _LENGTH
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length - len(prefix)))


# The account in a key's id: 40 of its 80 bits, behind the first.
_ACCOUNT_SHIFT, _ACCOUNT_BITS = 39, 40
_TEMPORARY = re.compile(rf"{TEMPORARY_KEY}[{_ALPHABET}]{{16}}")


def temporary_key(account: str) -> str:
    """An id of a temporary access key, which no table keeps: the account can be read from it, as from those of AWS."""
    mask = ((1 << _ACCOUNT_BITS) - 1) << _ACCOUNT_SHIFT
    bits = secrets.randbits(80) & ~mask | int(account) << _ACCOUNT_SHIFT
    return TEMPORARY_KEY + base64.b32encode(bits.to_bytes(10, "big")).decode()


def account_of(key_id: str) -> str | None:
    """The account in the id of a temporary access key; None where it is no such id."""
    if not _TEMPORARY.fullmatch(key_id):
        return None
    bits = int.from_bytes(base64.b32decode(key_id.removeprefix(TEMPORARY_KEY)), "big")
    account = bits >> _ACCOUNT_SHIFT & (1 << _ACCOUNT_BITS) - 1
    return f"{account:012}" if account < 10**12 else None
