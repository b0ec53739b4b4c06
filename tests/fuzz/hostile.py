"""Values that nobody means well with."""

import random
from typing import Any

TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\n\r\t",
    "\x1b[31m",
    "\u202e\u2066",
    "\ufeff",
    "\uffff",
    "e\u0301\u0327",
    "\U0001f4a5" * 30,
    "K\u00d6LN \u0131 \u0130 \u00df",
    "\ud800",
    "a\udfffb",
    "../../../../etc/passwd",
    "..%2f..%2f",
    "/",
    "//",
    "C:\\con",
    "'; DROP TABLE repositories; --",
    '" OR 1=1',
    "$1",
    "%s%n{0}{}${jndi:ldap://x}",
    "<!DOCTYPE a><a/>",
    "*",
    "**" * 40,
    "?[!a]",
    "^(a+)+$",
    "arn:aws:ecr:::repository/",
    "arn:" + ":" * 50,
    "sha256:",
    "sha256:" + "A" * 64,
    "sha512:" + "0" * 64,
    "md5:" + "0" * 32,
    "2026-01-01T00:00:00Z",
    "null",
    "true",
    "0",
    "-1",
    "1e309",
    "NaN",
    "{}",
    "[]",
    '{"a":' * 40,
    "[" * 3000,
    "a" * 257,
    "a-" * 2000,
    "\u0661\u0662\u0663" * 4,
    "9" * 5000,
]
NUMBERS: list[Any] = [
    0,
    -1,
    1,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**63 - 1,
    2**63,
    2**64,
    10**40,
    0.5,
    -0.0,
    1e300,
    5e-324,
]
OTHERS: list[Any] = [None, True, False, [], {}, [None], [[]], [{}], {"": {}}, {"a": [1, {"b": None}]}]


def text(chance: random.Random) -> str:
    return chance.choice(TEXTS)


def value(chance: random.Random, depth: int = 3) -> Any:
    """Any JSON, small."""
    kind = chance.randrange(5)
    if kind == 0:
        return text(chance)
    if kind == 1:
        return chance.choice(NUMBERS)
    if kind == 2 or depth == 0:
        return chance.choice(OTHERS)
    if kind == 3:
        return [value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {text(chance): value(chance, depth - 1) for _ in range(chance.randrange(4))}


def spoilt(document: Any, chance: random.Random) -> Any:
    """The document with something else, or nothing, in one place."""
    if isinstance(document, dict) and document and chance.random() < 0.8:
        name = chance.choice(list(document))
        if chance.random() < 0.15:
            return {key: one for key, one in document.items() if key != name}
        return {**document, name: spoilt(document[name], chance)}
    if isinstance(document, list) and document and chance.random() < 0.8:
        place = chance.randrange(len(document))
        return [*document[:place], spoilt(document[place], chance), *document[place + chance.randrange(2) :]]
    if isinstance(document, int) and chance.random() < 0.5:
        return document + chance.choice([-1, 1])
    return value(chance)


def mangled(body: bytes, chance: random.Random) -> bytes:
    """The bytes with some of them changed, gone, or twice."""
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(body) + 1)
        end = min(place + chance.randrange(4), len(body))
        piece = chance.choice(
            [b"", chance.randbytes(3), body[place:end] * 2, b'"', b"}", b"\\u0000", b"\xff\xfe", b","]
        )
        body = body[:place] + piece + body[end:]
    return body
