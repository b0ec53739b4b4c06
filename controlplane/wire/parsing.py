"""Values as the caller sent them, made into the members of an input shape and checked against the model.

Each shape is compiled once into a function, so that a request costs no walk through the model.
"""

import binascii
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from berth.errors import InvalidParameter
from controlplane.wire import constraints
from controlplane.wire.constraints import CHECKED_BY_ECR, Constraint
from controlplane.wire.faults import Serialization

# Takes a value and the path of its place in the request, such as `tags.1.member.key`.
Parse = Callable[[Any, str], Any]

INTEGERS = {"integer": range(-(2**31), 2**31), "long": range(-(2**63), 2**63)}
TYPE_NAMES = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "double": "a Double",
    "float": "a Float",
    "boolean": "a Boolean",
    "blob": "a ByteBuffer",
    "timestamp": "a Timestamp",
}
NOT_NULL = "Member must not be null"


def structure(shape: StructureShape) -> Parse:
    """A function from a JSON object to a dict of the shape's members; members of no meaning and nulls are left out."""
    members = [(name, member, compiled(member)) for name, member in shape.members.items()]
    required = frozenset(shape.required_members)

    def parse(value: Any, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, shape, path)
        found = {}
        for name, member, parse_member in members:
            given = value.get(name)
            place = f"{path}.{_lower(name)}" if path else _lower(name)
            if given is not None:
                found[name] = parse_member(given, place)
            elif name in required:
                raise _missing(member, place)
        return found

    return parse


def compiled(shape: Shape) -> Parse:
    if isinstance(shape, StructureShape):
        return structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return _scalar(shape)


def _missing(member: Shape, path: str) -> InvalidParameter:
    if member.name in CHECKED_BY_ECR:
        return InvalidParameter(CHECKED_BY_ECR[member.name], constraints.in_words_of_ecr(NOT_NULL))
    return InvalidParameter(path, NOT_NULL)


def wrong_type(value: Any, shape: Shape, path: str) -> Serialization:
    """What AWS's JSON services say of a value of another type, and where it stands."""
    where = f" at '{path}'" if path else ""
    if isinstance(value, dict):
        return Serialization(f"Start of structure or map found where not expected{where}")
    if isinstance(value, list):
        return Serialization(f"Start of list found where not expected{where}")
    if isinstance(shape, ListShape):
        return Serialization(f"Expected list or null{where}")
    if isinstance(shape, (StructureShape, MapShape)):
        return Serialization(f"Expected structure, map or null{where}")
    return Serialization(f"{_token(value)} can not be converted to {TYPE_NAMES[shape.type_name]}{where}")


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int):
        return "NUMBER_VALUE"
    return "DECIMAL_VALUE" if isinstance(value, float) else "STRING_VALUE"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _list(shape: ListShape) -> Parse:
    item = shape.member
    checks = constraints.of_length(shape)
    scalar = not isinstance(item, (StructureShape, ListShape, MapShape))
    parse_item = _scalar(item, in_list=True) if scalar else compiled(item)

    def parse(value: Any, path: str) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(value, shape, path)
        _hold(checks, value, path)
        if None in value:
            raise InvalidParameter(path, NOT_NULL)
        if scalar:
            return [parse_item(one, path) for one in value]
        return [parse_item(one, f"{path}.{number}.member") for number, one in enumerate(value, 1)]

    return parse


def _map(shape: MapShape) -> Parse:
    parse_key, parse_value = compiled(shape.key), compiled(shape.value)

    def parse(value: Any, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, shape, path)
        return {
            parse_key(key, path): parse_value(one, f"{path}.{key}.member")
            for key, one in value.items()
            if one is not None
        }

    return parse


def _scalar(shape: Shape, *, in_list: bool = False) -> Parse:
    convert, checks = SCALARS[shape.type_name](shape)
    named = None
    if shape.name in CHECKED_BY_ECR and not (in_list and shape.name == "RegistryId"):
        named, checks = CHECKED_BY_ECR[shape.name], constraints.by_ecr(checks)
    elif in_list:
        checks = constraints.of_items(checks)

    def parse(value: Any, path: str) -> Any:
        converted = convert(value, path)
        _hold(checks, converted, named or path)
        return converted

    return parse


def _hold(checks: list[Constraint], value: Any, path: str) -> None:
    for holds, text in checks:
        if not holds(value):
            raise InvalidParameter(path, text)


def _string(shape: Shape) -> tuple[Parse, list[Constraint]]:
    def convert(value: Any, path: str) -> str:
        if type(value) is not str:
            raise wrong_type(value, shape, path)
        if "\0" in value:
            # No name or document of ECR's holds it, and PostgreSQL's text can't.
            raise InvalidParameter(path, "Member must not contain the character NUL")
        return value

    return convert, constraints.of_string(shape)


def _integer(shape: Shape) -> tuple[Parse, list[Constraint]]:
    bounds = INTEGERS[shape.type_name]

    def convert(value: Any, path: str) -> int:
        if type(value) is not int or value not in bounds:
            raise wrong_type(value, shape, path)
        return value

    return convert, constraints.of_number(shape)


def _double(shape: Shape) -> tuple[Parse, list[Constraint]]:
    def convert(value: Any, path: str) -> float:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise wrong_type(value, shape, path)
        return float(value)

    return convert, constraints.of_number(shape)


def _boolean(shape: Shape) -> tuple[Parse, list[Constraint]]:
    def convert(value: Any, path: str) -> bool:
        if type(value) is not bool:
            raise wrong_type(value, shape, path)
        return value

    return convert, []


def _blob(shape: Shape) -> tuple[Parse, list[Constraint]]:
    def convert(value: Any, path: str) -> bytes:
        if type(value) is not str:
            raise wrong_type(value, shape, path)
        try:
            return binascii.a2b_base64(value, strict_mode=True)
        except (binascii.Error, ValueError) as error:
            raise Serialization(f"Unable to unmarshall value as base64 at '{path}'") from error

    return convert, constraints.of_length(shape)


def _timestamp(shape: Shape) -> tuple[Parse, list[Constraint]]:
    def convert(value: Any, path: str) -> datetime:
        if type(value) not in (int, float):
            raise wrong_type(value, shape, path)
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise wrong_type(value, shape, path) from error

    return convert, []


SCALARS: dict[str, Callable[[Shape], tuple[Parse, list[Constraint]]]] = {
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "float": _double,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
