"""AWS JSON 1.1: a JSON object in, a JSON object out, errors named in the body and in a header."""

from typing import Any

import orjson

from berth.errors import EcrError
from controlplane.wire.answer import Answer
from controlplane.wire.faults import Serialization
from controlplane.wire.model import Members, Operation

CONTENT_TYPE = "application/x-amz-json-1.1"


def parse(operation: Operation, body: bytes | bytearray) -> Members:
    """The members of the operation's input. Raises faults.Serialization and berth.errors.InvalidParameter."""
    return operation.parse(_object(body))


def _object(body: bytes | bytearray) -> dict[str, Any]:
    if not body or body.isspace():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Serialization(f"The body is not JSON: {error}") from None
    if type(value) is not dict:
        raise Serialization("The body is not a JSON object")
    return value


def answer(operation: Operation, members: Members) -> Answer:
    return Answer(200, CONTENT_TYPE, orjson.dumps(operation.serialize(members)))


def error(fault: EcrError) -> Answer:
    body = {"__type": fault.code, "message": fault.message, **fault.members}
    return Answer(fault.status, CONTENT_TYPE, orjson.dumps(body), {"x-amzn-ErrorType": fault.code})
