"""One change that a file asks for, as it is shown and as it is made. Pure, but for what it runs."""

import difflib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from berth import json_documents
from berth.database.db import Database

Run = Callable[[Database], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """`sign`: `+` something new, `~` something else than it was, `-` something gone; `lines` say more of it."""

    sign: str
    what: str
    run: Run
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((f"{self.sign} {self.what}", *(f"    {line}" for line in self.lines)))


def step(sign: str, what: str, change: Callable[..., Awaitable[Any]], *given: Any, **more: Any) -> Step:
    """`change` is a function of the directory, `given` what it takes beside the database."""
    return Step(sign, what, lambda database: partial(change, database)(*given, **more))


def text_of(document: Mapping[str, Any]) -> str:
    """A policy as it is kept."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def is_same(text: str, document: Mapping[str, Any]) -> bool:
    return bool(json_documents.read(text) == document)


def differences(before: str, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The lines of a policy that come and go, with some around them."""
    old, new = text_of(json_documents.read(before)).splitlines(), text_of(document).splitlines()
    return tuple(line for line in list(difflib.unified_diff(old, new, lineterm="", n=1))[2:] if line[:2] != "@@")
