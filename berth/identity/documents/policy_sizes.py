"""How long a policy may be, in characters without white space. Pure.

IAM user guide, "IAM and AWS STS quotas": "IAM doesn't count white space when calculating the size of a policy".
"""

import re
from collections.abc import Iterable

from berth.errors import PolicyTooLarge

MOST_MANAGED = 6144
MOST_TRUST = 2048
# All inline policies of one together.
MOST_INLINE = {"user": 2048, "group": 5120, "role": 10240}
_WHITE_SPACE = re.compile(r"\s")


def size(text: str) -> int:
    return len(_WHITE_SPACE.sub("", text))


def check_managed(text: str) -> None:
    """Raises PolicyTooLarge."""
    if size(text) > MOST_MANAGED:
        raise PolicyTooLarge(f"Cannot exceed quota for PolicySize: {MOST_MANAGED}")


def check_trust(text: str) -> None:
    """Raises PolicyTooLarge."""
    if size(text) > MOST_TRUST:
        raise PolicyTooLarge(f"Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}")


def check_inline(owner: str, name: str, texts: Iterable[str]) -> None:
    """All inline policies of the user, group or role (`owner`) of that name. Raises PolicyTooLarge."""
    most = MOST_INLINE[owner]
    if sum(map(size, texts)) > most:
        raise PolicyTooLarge(f"Maximum policy size of {most} bytes exceeded for {owner} {name}")
