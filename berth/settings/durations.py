"""Lengths of time as people write them in settings: `24h`, `90m`, `7d`, `30s`, `0`."""

import re
from datetime import timedelta
from typing import Any

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_DURATION = re.compile(r"(\d{1,6})([dhms])")
# Ten years: PostgreSQL and Python can still count back from now.
LONGEST = timedelta(days=3653)


class Duration(timedelta):
    """A length of time whose text reads back as the same."""

    def __str__(self) -> str:
        for unit, length in _UNITS.items():
            if self and self % length == timedelta():
                return f"{self // length}{unit}"
        return "0"


def parse_duration(value: Any) -> Duration:
    """Raises ValueError."""
    if isinstance(value, Duration):
        return value
    text = str(value).strip()
    match = _DURATION.fullmatch(text)
    if text != "0" and match is None:
        raise ValueError(f"'{text[:40]}' is not a length of time such as 24h, 90m, 7d or 0")
    length = int(match[1]) * _UNITS[match[2]] if match else timedelta()
    if length > LONGEST:
        raise ValueError(f"'{text}' is longer than ten years")
    return Duration(days=length.days, seconds=length.seconds)
