"""JSON documents that people write and Berth keeps: read strictly, and written as Jackson writes them. Pure."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

# No document of ECR nests deeper than 7; a much deeper one could exhaust the stack of whoever walks it.
MAX_DEPTH = 32
# A whole number that Java's `long` can hold.
MAX_DIGITS = 18

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Malformed(ValueError):
    """A text that is not JSON as RFC 8259 asks for; the message says why."""


def read(text: str) -> Any:
    """The value that `text` writes down.

    Raises Malformed, and nothing else whatever the text: for what is no JSON, for a key that an object has twice (whose
    meaning RFC 8259 leaves open), for NaN and numbers out of range, for more than 32 levels, for characters that UTF-8
    cannot encode.
    """
    try:
        text.encode()
        value = json.loads(
            text,
            object_pairs_hook=_object_of_unique_keys,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        if _SURROGATE.search(text):
            _written(value).encode()
    except RecursionError:
        raise Malformed("it nests too deeply") from None
    except ValueError as error:
        raise Malformed(str(error)) from None
    if _is_deeper_than(value, MAX_DEPTH):
        raise Malformed("it nests too deeply")
    return value


def pretty(value: Any, line: str = "\n") -> str:
    """`value` in the form of Jackson's pretty printer, in which ECR gives policies back: `"Effect" : "Allow"`."""
    if isinstance(value, dict):
        deeper = line + "  "
        members = (f"{deeper}{_written(key)} : {pretty(member, deeper)}" for key, member in value.items())
        return f"{{{','.join(members)}{line}}}" if value else "{ }"
    if isinstance(value, list):
        return f"[ {', '.join(pretty(element, line) for element in value)} ]" if value else "[ ]"
    return _written(value)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object_of_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same key twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise ValueError("a number is out of range")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _is_deeper_than(value: Any, levels: int) -> bool:
    nodes: Iterable[Any] = [value]
    for _ in range(levels + 1):
        nodes = [member for node in nodes for member in _members(node)]
        if not nodes:
            return False
    return True


def _members(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
