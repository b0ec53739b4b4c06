"""Inputs generated from the model: valid ones at the bounds of every constraint."""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from tests.contract import meaning
from tests.contract.patterns import language

# How long a list is that has no bound, and a text.
MANY = 3
LONG = 10_000
NUMBERS = {"integer": 2**31 - 1, "long": 2**63 - 1}


@dataclass(frozen=True)
class Sample:
    """A value that the model allows; `at` is the place whose bound it touches, as an error would name it."""

    at: str
    bound: str
    shape: str
    value: Any


def plain(shape: Shape) -> Any:
    """A value of the shape that makes sense: of a structure, what is required; of a list, as few items as may be."""
    if isinstance(shape, StructureShape):
        return {name: plain(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [plain(shape.member) for _ in range(max(shape.metadata.get("min", 0), 1))]
    if shape.type_name == "string":
        return plain_text(shape)
    return {"boolean": True, "blob": "", "timestamp": 0}.get(shape.type_name, shape.metadata.get("min", 1))


def plain_text(shape: Shape) -> str:
    if shape.name in meaning.VALUES:
        return meaning.VALUES[shape.name][0]
    if "enum" in shape.metadata:
        return str(shape.metadata["enum"][0])
    if "pattern" in shape.metadata:
        found = language(shape.metadata["pattern"])
        shortest = found.shortest()
        return (found.of_length(shape.metadata.get("min", 0)) if len(shortest) < _least(shape) else shortest) or ""
    return "x" * max(_least(shape), 1)


def bounds(shape: Shape, at: str = "") -> Iterator[Sample]:
    """The values of the shape at the bounds of each constraint in it, one at a time, all else being plain."""
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, at)
    elif isinstance(shape, ListShape):
        yield from _of_list(shape, at)
    elif shape.type_name == "string":
        yield from (Sample(at, bound, shape.name, text) for bound, text in _texts(shape))
    else:
        yield from (Sample(at, bound, shape.name, value) for bound, value in _values(shape))


def _of_structure(shape: StructureShape, at: str) -> Iterator[Sample]:
    required = plain(shape)
    yield Sample(at, "required members alone", shape.name, required)
    yield Sample(at, "a member that the model has not", shape.name, {**required, "berthHasNoSuchMember": [{}]})
    for name, member in shape.members.items():
        place = within(at, name)
        if name not in shape.required_members:
            yield Sample(place, "null", member.name, {**required, name: None})
        for sample in bounds(member, place):
            yield replace(sample, value={**required, name: sample.value})


def _of_list(shape: ListShape, at: str) -> Iterator[Sample]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", MANY)
    for number in sorted({least, least + 1, most}):
        yield Sample(at, f"{number} items", shape.name, [plain(shape.member)] * number)
    for sample in bounds(shape.member, item(shape, at)):
        yield replace(sample, value=[sample.value, *[plain(shape.member)] * (least - 1)])


def _texts(shape: Shape) -> Iterator[tuple[str, str]]:
    metadata: dict[str, Any] = shape.metadata
    if "enum" in metadata:
        yield from ((f"the value {value}", value) for value in metadata["enum"])
        return
    for text in meaning.VALUES.get(shape.name, []):
        yield "what makes sense", text
    if "pattern" in metadata:
        yield from _of_pattern(shape)
    elif "max" in metadata or shape.name not in meaning.VALUES:
        lengths = sorted({_least(shape), metadata.get("max", LONG)})
        yield from ((f"{length} characters", "a" * length) for length in lengths)


def _of_pattern(shape: Shape) -> Iterator[tuple[str, str]]:
    found = language(shape.metadata["pattern"])
    shortest = found.shortest()
    lengths = {shape.metadata.get(bound, len(shortest)) for bound in ("min", "max")}
    for length in sorted(lengths):
        text = found.of_length(length)
        if text is not None:
            yield f"{length} characters", text
    texts = [shortest, *(found.any(random.Random(seed)) for seed in range(MANY))]
    yield from (
        (f"a text of its pattern: {text}", text) for text in texts if _least(shape) <= len(text) <= _most(shape)
    )


def _values(shape: Shape) -> Iterator[tuple[str, Any]]:
    if shape.type_name == "boolean":
        yield from (("true", True), ("false", False))
    elif shape.type_name == "blob":
        lengths = sorted({_least(shape), _least(shape) + 1, shape.metadata.get("max", LONG)})
        yield from ((f"{length} bytes", blob(length)) for length in lengths)
    elif shape.type_name == "timestamp":
        yield from (("an integer", 1_700_000_000), ("a fraction", 1_700_000_000.5))
    else:
        least = shape.metadata.get("min", -NUMBERS[shape.type_name] - 1)
        most = shape.metadata.get("max", NUMBERS[shape.type_name])
        yield from ((f"the number {number}", number) for number in sorted({least, least + 1, most}))


def blob(length: int) -> str:
    """So many bytes, as JSON has them."""
    return base64.b64encode(bytes(length)).decode()


def _least(shape: Shape) -> int:
    return int(shape.metadata.get("min", 0))


def _most(shape: Shape) -> int:
    return int(shape.metadata.get("max", LONG))


def within(at: str, name: str) -> str:
    """The place of a member: AWS writes names with a small letter, whatever the model has."""
    small = name[0].lower() + name[1:]
    return f"{at}.{small}" if at else small


def item(shape: ListShape, at: str) -> str:
    """The place of the first item of a list: an item that is a text has that of its list."""
    return f"{at}.1.member" if isinstance(shape.member, (StructureShape, ListShape)) else at
