"""One-time codes of virtual MFA devices: RFC 6238 as AWS has it, six digits, 30 seconds, SHA-1. Pure.

A step is 30 seconds; the steps are counted since 1970.
"""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

# As long as those that AWS makes: 64 characters in base32.
SEED_BYTES = 40
STEP_SECONDS = 30
_DIGITS = 6
# By how many steps a code may be before or behind its time.
TOLERANCE = 1
# How far the clock of a device may be from ours, in steps, where two codes in a row say so.
MOST_DRIFT = 20


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def step_of(seed: bytes, code: str, now: int, after: int) -> int | None:
    """The step beyond `after` that `code` is of, which is within TOLERANCE of the step `now`; None: of none."""
    found = None
    # All are tried, so that the time that it takes says nothing.
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if _is_of(seed, code, step) and step > after:
            found = step
    return found


def latter_step_of(seed: bytes, codes: tuple[str, str], now: int, after: int) -> int | None:
    """The step of the second of two codes in a row, both beyond `after`, within MOST_DRIFT of `now`; None: of none."""
    first, second = codes
    steps = sorted(range(now - MOST_DRIFT, now + MOST_DRIFT + 1), key=lambda step: abs(step - now))
    found = [
        step for step in steps if step - 1 > after and _is_of(seed, second, step) and _is_of(seed, first, step - 1)
    ]
    return found[0] if found else None


def drift_of(latter: int, now: int) -> int:
    """By how many steps the clock of a device goes before ours, that gave the code of step `latter` just now.

    Who is slow to type two codes is no slow clock.
    """
    return 0 if abs(latter - now) <= TOLERANCE + 1 else latter - now


def _is_of(seed: bytes, code: str, step: int) -> bool:
    """Compared in constant time."""
    if step < 0:
        return False
    try:
        TOTP(seed, _DIGITS, SHA1(), STEP_SECONDS).verify(code.encode(), step * STEP_SECONDS)  # noqa: S303
    except InvalidToken:
        return False
    return True
