"""Conditions once more, as plainly as can be: IAM user guide, "Condition operators", "Multivalued context keys",
"Policy variables with no value". It shares no code with the engine.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

Context = Mapping[str, Any]
_FORMATS = ["%Y%z", "%Y-%m%z", "%Y-%m-%d%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]


class Unresolved(Exception):
    """A variable has no value."""


def holds(context: Context, operator: str, key: str, written: Any, *, variables: bool) -> bool:
    """`written` is as the policy has it, one value or several."""
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in listed(written)]
    quantifier, _, name = operator.rpartition(":")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    found = lowered(context).get(key.lower())
    values = [] if found is None else listed(found)
    if name == "Null":
        return ("false" if isinstance(found, str) or any(values) else "true") in [text.lower() for text in texts]
    negated, name = "Not" in name, name.replace("Not", "", 1)
    if quantifier and not any(values):
        values = []
    matched = [any(matches(context, name, value, text, variables=variables) for text in texts) for value in values]
    counts = [each is not negated for each in matched]
    if quantifier:
        # Without the key, also with IfExists.
        return all(counts) if quantifier == "ForAllValues" else any(counts)
    if not values:
        return if_exists or negated
    return all(counts) if negated else any(counts)


def matches(context: Context, name: str, value: str, written: str, *, variables: bool) -> bool:
    """What is no number, date or address is none of those that the policy has, and is like none."""
    with suppress(Unresolved, ValueError):
        if name.startswith(("String", "Arn")):
            return matches_text(context, name, value, written, variables=variables)
        if name == "Bool":
            return value.lower() == written.lower() and written.lower() in {"true", "false"}
        if name == "IpAddress":
            return ipaddress.ip_address(value) in ipaddress.ip_network(written, strict=False)
        read: Callable[[str], Fraction] = number if name.startswith("Numeric") else moment
        left, right = read(value), read(written)
        return {
            "Equals": left == right,
            "LessThan": left < right,
            "LessThanEquals": left <= right,
            "GreaterThan": left > right,
            "GreaterThanEquals": left >= right,
        }[name.removeprefix("Numeric").removeprefix("Date")]
    return False


def matches_text(context: Context, name: str, value: str, written: str, *, variables: bool) -> bool:
    if name.startswith("StringEquals"):
        flags = re.IGNORECASE if name.endswith("IgnoreCase") else re.NOFLAG
        pattern = expression(context, written, variables=variables, wildcards=False)
        return bool(re.fullmatch(pattern, value, flags | re.DOTALL))
    if name == "StringLike":
        return bool(re.fullmatch(expression(context, written, variables=variables), value, re.DOTALL))
    # Each of the six components for itself; a colon within a variable parts none.
    patterns = [
        expression(context, part, variables=variables) for part in re.split(r":(?![^{}]*\})", written, maxsplit=5)
    ]
    patterns += [".*"] * (6 - len(patterns))
    parts = value.split(":", 5)
    return len(parts) == 6 and all(
        re.fullmatch(pattern, part, re.DOTALL) for pattern, part in zip(patterns, parts, strict=True)
    )


def number(text: str) -> Fraction:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        raise ValueError
    return Fraction(text)


def moment(text: str) -> Fraction:
    """Seconds since 1970."""
    for form in _FORMATS:
        for zoned in (text, f"{text}Z"):
            with suppress(ValueError):
                return Fraction(datetime.strptime(zoned, form).astimezone(UTC).timestamp())
    return Fraction(int(text))


def expression(context: Context, written: str, *, variables: bool, wildcards: bool = True) -> str:
    """The regular expression for a text with wildcards and variables. Raises Unresolved."""
    keys, out = lowered(context), ""
    for part in re.findall(r"\$\{[^{}]*\}|.", written, re.DOTALL):
        content = part[2:-1].strip() if len(part) > 1 and variables else ""
        key, comma, default = content.partition(",")
        value = keys.get(key.strip().lower())
        if content in {"*", "?", "$"}:
            out += re.escape(content)
        elif content and isinstance(value, str):
            out += re.escape(value)
        elif content and comma:
            out += re.escape(default.strip().strip("'"))
        elif content:
            raise Unresolved
        elif wildcards and part in {"*", "?"}:
            out += {"*": ".*", "?": "."}[part]
        else:
            out += plain_pattern(part) if wildcards else re.escape(part)
    return out


def plain_pattern(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


def lowered(context: Context) -> dict[str, Any]:
    return {key.lower(): value for key, value in context.items()}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
