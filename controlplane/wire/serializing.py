"""The members of an output shape as AWS's JSON has them: absent ones left out, moments as seconds, bytes as base64."""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

Serialize = Callable[[Any], Any]


def structure(shape: StructureShape) -> Serialize:
    """A function from members by the model's names to a JSON object; it raises KeyError for any other name."""
    members = {name: compiled(member) for name, member in shape.members.items()}

    def serialize(value: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for name, one in value.items():
            if one is not None:
                member = members[name]
                found[name] = one if member is None else member(one)
        return found

    return serialize


def compiled(shape: Shape) -> Serialize | None:
    """None says that values of the shape go out as they are."""
    if isinstance(shape, StructureShape):
        return structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return SCALARS.get(shape.type_name)


def seconds(moment: datetime) -> float:
    """Seconds since 1970, to the millisecond, as ECR answers them."""
    return round(moment.timestamp(), 3)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _list(shape: ListShape) -> Serialize | None:
    member = compiled(shape.member)
    if member is None:
        return None
    serialize = member
    return lambda values: [serialize(value) for value in values]


def _map(shape: MapShape) -> Serialize | None:
    member = compiled(shape.value)
    if member is None:
        return None
    serialize = member
    return lambda values: {key: serialize(value) for key, value in values.items()}


SCALARS: dict[str, Serialize] = {"timestamp": seconds, "blob": _base64}
