"""The parameters of a form as the members of an input shape, checked against the model.

Of the Query protocol: `Tags.member.1.Key=a` is the key of the first of the tags. Each shape is compiled once. All that
is wrong is gathered, and said at once, in the words of AWS's framework.
"""

import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from berth.errors import EcrError
from berth.errors.iam import ValidationError
from berth.identity.directory import names
from controlplane.wire import constraints
from controlplane.wire.constraints import Constraint
from controlplane.wire.faults import Serialization
from controlplane.wire.model import NOTHING, Members, Operation
from controlplane.wire.parsing import INTEGERS, NOT_NULL

# A text, or the parameters beneath a name by the next part of theirs.
Node = Any


@dataclass(slots=True)
class Faults:
    """What is wrong with the parameters, as the framework says it, and as IAM does where that found nothing."""

    said: list[str] = field(default_factory=list)
    own: list[EcrError] = field(default_factory=list)


# Takes what is given, the path of its place in the request (`tags.1.member.key`) and the faults found so far.
Read = Callable[[Node, str, Faults], Any]

DEEPEST = 16
# What a message tells of a value, and of how many faults.
SHOWN = 256
LISTED = 20
# What was handed out sealed is looked at when it is opened.
OPAQUE = {"markerType"}
# Patterns that IAM holds names to itself.
NAME, PATH = r"[\w+=,.@-]+", r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)"
CHECKED_BY_IAM: dict[str, Callable[[str, str], None]] = {NAME: names.check_name, PATH: names.check_path}


def members(operation: Operation, given: Mapping[str, str]) -> Members:
    """The members of the operation's input. Raises ValidationError, faults.Serialization."""
    faults = Faults()
    found: Members = reader(operation)(tree(given), "", faults)
    if faults.said:
        number = f"{len(faults.said)} validation error{'s' if len(faults.said) > 1 else ''}"
        raise ValidationError(f"{number} detected: {'; '.join(faults.said[:LISTED])}")
    if faults.own:
        raise faults.own[0]
    return found


def tree(given: Mapping[str, str]) -> dict[str, Node]:
    """The parameters by the parts of their names. Raises faults.Serialization."""
    found: dict[str, Node] = {}
    for name, value in given.items():
        *parents, last = name.split(".", DEEPEST)
        node = found
        for parent in parents:
            node = node.setdefault(parent, {})
            if type(node) is not dict:
                raise _malformed(name)
        if last in node:
            raise _malformed(name)
        node[last] = value
    return found


@cache
def reader(operation: Operation) -> Read:
    """Reads what `tree` gives of the operation's input."""
    return _structure(operation.model.input_shape or NOTHING)


def _compiled(shape: Shape) -> Read:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return _scalar(shape)


def _structure(shape: StructureShape) -> Read:
    readers = [(name, f"{name[0].lower()}{name[1:]}", _compiled(member)) for name, member in shape.members.items()]
    required = frozenset(shape.required_members)

    def read(node: Node, path: str, faults: Faults) -> Members:
        _want(node, dict, path)
        found = {}
        for name, place, read_member in readers:
            place = f"{path}.{place}" if path else place
            if name in node:
                found[name] = read_member(node[name], place, faults)
            elif name in required:
                faults.said.append(f"Value null at '{place}' failed to satisfy constraint: {NOT_NULL}")
        return found

    return read


def _list(shape: ListShape) -> Read:
    read_item = _compiled(shape.member)
    checks = constraints.of_length(shape)

    def read(node: Node, path: str, faults: Faults) -> list[Any]:
        items = [] if node == "" else [item for _, item in _numbered(node, "member", path)]
        found = [read_item(item, f"{path}.{number}.member", faults) for number, item in enumerate(items, 1)]
        _hold(checks, found, path, faults)
        return found

    return read


def _map(shape: MapShape) -> Read:
    read_key, read_value = _compiled(shape.key), _compiled(shape.value)

    def read(node: Node, path: str, faults: Faults) -> dict[str, Any]:
        found = {}
        for _, entry in [] if node == "" else _numbered(node, "entry", path):
            _want(entry, dict, path)
            key = read_key(entry.get("key", ""), path, faults)
            found[key] = read_value(entry.get("value", ""), f"{path}.{key}.member", faults)
        return found

    return read


def _numbered(node: Node, word: str, path: str) -> Iterator[tuple[int, Node]]:
    """What is beneath `member.1`, `member.2`, … in the order of the numbers, whichever there are."""
    _want(node, dict, path)
    items = node.get(word, {})
    _want(items, dict, path)
    if [*node] != [word] or not all(number.isascii() and number.isdigit() and len(number) < 10 for number in items):
        raise _malformed(path)
    yield from sorted((int(number), item) for number, item in items.items())


def _scalar(shape: Shape) -> Read:
    convert, checks = SCALARS[shape.type_name](shape)
    is_secret = bool(shape.metadata.get("sensitive"))
    check_own = CHECKED_BY_IAM.get(str(shape.metadata.get("pattern")))

    def read(node: Node, path: str, faults: Faults) -> Any:
        _want(node, str, path)
        try:
            value = convert(node)
        except (ValueError, OverflowError):
            raise Serialization(f"The value at '{path}' is not of the type {shape.type_name}") from None
        _hold(checks, value, path, faults, shown="" if is_secret else f"'{node[:SHOWN]}' ")
        if check_own is not None:
            try:
                check_own(value, path)
            except ValidationError as error:
                faults.own.append(error)
        return value

    return read


def _hold(checks: list[Constraint], value: Any, path: str, faults: Faults, shown: str = "") -> None:
    broken = [text for holds, text in checks if not holds(value)]
    faults.said += [f"Value {shown}at '{path}' failed to satisfy constraint: {text}" for text in broken]


def _want(node: Node, kind: type, path: str) -> None:
    if type(node) is not kind:
        raise _malformed(path)


def _malformed(name: str) -> Serialization:
    return Serialization(f"The parameters do not fit together at '{name[:200]}'")


def _string(shape: Shape) -> tuple[Callable[[str], str], list[Constraint]]:
    # PostgreSQL's text and XML can't hold it.
    nul = Constraint(lambda value: "\0" not in value, "Member must not contain the character NUL")
    if shape.name in OPAQUE:
        return str, [nul]
    checks = constraints.of_string(shape)
    if shape.metadata.get("pattern") in CHECKED_BY_IAM:
        checks = constraints.of_length(shape)
    return str, [nul, *checks]


def _integer(shape: Shape) -> tuple[Callable[[str], int], list[Constraint]]:
    bounds = INTEGERS[shape.type_name]

    def convert(text: str) -> int:
        if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or int(text) not in bounds:
            raise ValueError(text)
        return int(text)

    return convert, constraints.of_number(shape)


def _boolean(_shape: Shape) -> tuple[Callable[[str], bool], list[Constraint]]:
    def convert(text: str) -> bool:
        return ("false", "true").index(text.lower()) == 1

    return convert, []


def _blob(shape: Shape) -> tuple[Callable[[str], bytes], list[Constraint]]:
    return lambda text: binascii.a2b_base64(text, strict_mode=True), constraints.of_length(shape)


def _timestamp(_shape: Shape) -> tuple[Callable[[str], datetime], list[Constraint]]:
    def convert(text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    return convert, []


SCALARS: dict[str, Callable[[Shape], tuple[Callable[[str], Any], list[Constraint]]]] = {
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
