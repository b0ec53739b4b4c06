"""Inputs generated from the model that break one constraint each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from tests.contract.patterns import language
from tests.contract.samples import LONG, NUMBERS, blob, item, plain, plain_text, within

# ECR calls these by one name, wherever they stand.
CALLED = {"RepositoryName": "repositoryName", "RegistryId": "registryId"}
OTHER_TYPES: dict[str, list[Any]] = {
    "string": [1, 1.5, True, [], {}],
    "integer": ["1", 1.5, True, [], {}, 2**31],
    "long": ["1", 1.5, True, [], {}, 2**63],
    "boolean": ["true", 1, [], {}],
    "blob": [1, True, [], {}, "no base64!"],
    "timestamp": ["yesterday", True, [], {}],
    "list": ["a", 1, True, {}],
    "structure": ["a", 1, True, []],
}
# Texts that hardly any pattern takes.
ODD = ["\u00e4", "!", "A B", "x\n", "-", " ", "%00", "ROOT/", "..", "a//b", "1" * 13]


@dataclass(frozen=True)
class Violation:
    """A value, what is wrong with it by the model, and what the refusal must name.

    `is_type`: a value of another JSON type.
    """

    at: str
    wrong: str
    value: Any
    is_type: bool = False


def violations(shape: Shape, at: str = "") -> Iterator[Violation]:
    """The values of the shape with one constraint broken in each, all else being plain."""
    called = CALLED.get(shape.name, at)
    if at:
        yield from (
            Violation(at, f"of another type: {value!r}", value, is_type=True) for value in OTHER_TYPES[shape.type_name]
        )
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, at)
    elif isinstance(shape, ListShape):
        yield from _of_list(shape, at)
    elif shape.type_name == "string":
        yield from (Violation(called, wrong, text) for wrong, text in _texts(shape))
    elif shape.type_name in NUMBERS:
        yield from (Violation(at, wrong, number) for wrong, number in _numbers(shape))
    elif shape.type_name == "blob" and "max" in shape.metadata:
        yield Violation(at, "too many bytes", blob(shape.metadata["max"] + 1))


def _of_structure(shape: StructureShape, at: str) -> Iterator[Violation]:
    required = plain(shape)
    for name, member in shape.members.items():
        place = within(at, name)
        if name in shape.required_members:
            called = CALLED.get(member.name, place)
            yield Violation(called, "missing", {key: value for key, value in required.items() if key != name})
            yield Violation(called, "null", {**required, name: None})
        for one in violations(member, place):
            yield replace(one, value={**required, name: one.value})


def _of_list(shape: ListShape, at: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if least:
        yield Violation(at, "too few items", [plain(shape.member)] * (least - 1))
    if most is not None:
        yield Violation(at, "too many items", [plain(shape.member)] * (most + 1))
    yield Violation(at, "null for an item", [None])
    for one in violations(shape.member, item(shape, at)):
        # Of a list of registries, the list is called by its own name.
        yield replace(one, value=[one.value], at=at if shape.member.name == "RegistryId" else one.at)


def _texts(shape: Shape) -> Iterator[tuple[str, str]]:
    metadata: dict[str, Any] = shape.metadata
    if "enum" in metadata:
        chosen = metadata["enum"][0]
        yield from (("outside the enum", text) for text in ("", f"{chosen}_", f" {chosen}"))
        yield from (("in small letters", text) for text in {chosen.lower()} - {*metadata["enum"]})
    if "min" in metadata and metadata["min"] > 0:
        yield "too short", _longer_or_shorter(shape, metadata["min"] - 1)
    if "max" in metadata:
        yield "too long", _longer_or_shorter(shape, metadata["max"] + 1)
    if "pattern" in metadata:
        good = plain_text(shape)
        spoilt = [good + "\n", good + " ", " " + good, good + "\u00e4"]
        allowed = language(metadata["pattern"])
        for text in ["", *ODD, *spoilt]:
            if text not in allowed and metadata.get("min", 0) <= len(text) <= metadata.get("max", len(text)):
                yield f"outside the pattern: {text!r:.40}", text
        # Whether a long text that all but matches is refused in time is for the server to show, not for `allowed`.
        longest = metadata.get("max", LONG)
        yield "outside the pattern at its very end", _longer_or_shorter(shape, longest)[:-1] + "!"


def _longer_or_shorter(shape: Shape, length: int) -> str:
    """A text of that length whose characters are allowed, as far as there is one."""
    pattern = shape.metadata.get("pattern")
    return (pattern and language(pattern).of_length(length)) or "a" * length


def _numbers(shape: Shape) -> Iterator[tuple[str, int]]:
    if "min" in shape.metadata:
        yield "too small", shape.metadata["min"] - 1
    if "max" in shape.metadata:
        yield "too large", shape.metadata["max"] + 1
