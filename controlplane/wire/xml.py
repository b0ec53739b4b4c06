"""The members of an output shape as the XML of the Query protocol; each shape is compiled once."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from controlplane.wire.model import Members, Operation

Write = Callable[[Any], str]

# Documents go out percent-encoded (IAM API reference, "GetRolePolicy").
ENCODED = {"policyDocumentType"}
# What a parser would not give back as it is.
KEPT = {"\r": "&#13;"}


def result(operation: Operation, members: Members) -> str:
    """The element of an operation's result; none where the model gives it no output.

    Raises KeyError for a member that the model has not.
    """
    shape = operation.model.output_shape
    if shape is None:
        return ""
    wrapper = shape.serialization["resultWrapper"]
    return f"<{wrapper}>{_output(operation)(members)}</{wrapper}>"


def text(value: str) -> str:
    """`value` in XML, without the characters that XML 1.0 has no way to write."""
    plain = "".join(c if c >= " " or c in "\t\n\r" else "\ufffd" for c in value.encode(errors="replace").decode())
    return escape(plain, KEPT)


@cache
def _output(operation: Operation) -> Write:
    shape = operation.model.output_shape
    assert isinstance(shape, StructureShape)  # noqa: S101
    return _structure(shape)


def _compiled(shape: Shape) -> Write:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    if shape.name in ENCODED:
        return lambda document: quote(document, safe="")
    return SCALARS[shape.type_name]


def _structure(shape: StructureShape) -> Write:
    writers = {name: _compiled(member) for name, member in shape.members.items()}

    def write(members: Members) -> str:
        return "".join(
            f"<{name}>{writers[name](value)}</{name}>" for name, value in members.items() if value is not None
        )

    return write


def _list(shape: ListShape) -> Write:
    write_item = _compiled(shape.member)
    return lambda items: "".join(f"<member>{write_item(item)}</member>" for item in items)


def _map(shape: MapShape) -> Write:
    write_key, write_value = _compiled(shape.key), _compiled(shape.value)

    def write(entries: dict[str, Any]) -> str:
        return "".join(
            f"<entry><key>{write_key(key)}</key><value>{write_value(value)}</value></entry>"
            for key, value in entries.items()
        )

    return write


def _moment(value: datetime) -> str:
    """To the second, as IAM and STS answer moments."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


SCALARS: dict[str, Write] = {
    "string": text,
    "integer": str,
    "boolean": lambda value: "true" if value else "false",
    "timestamp": _moment,
    "blob": lambda value: base64.b64encode(value).decode(),
}
