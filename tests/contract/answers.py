"""What every answer of the ECR API holds to: to the letter of the model's shapes, and readable by botocore.

botocore reads with indulgence: it passes over members that it does not know and takes what types it gets. Clients in
other languages don't, so that answers are checked here as they are on the wire.
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser

from tests.contract import model

CONTENT_TYPE = "application/x-amz-json-1.1"
# ECR API reference, "Common Errors", and those of the protocol itself: any operation may answer them.
COMMON_ERRORS = {
    "AccessDeniedException": 400,
    "IncompleteSignatureException": 400,
    "InvalidParameterException": 400,
    "InvalidSignatureException": 400,
    "MalformedHttpRequestException": 400,
    "MissingAuthenticationTokenException": 400,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "SerializationException": 400,
    "ServerException": 500,
    "UnknownOperationException": 400,
    "UnrecognizedClientException": 400,
    "ValidationException": 400,
}
# The service cannot answer now; clients try again.
UNAVAILABLE = 503
# Texts that go out shorter than they came in, the spaces between their tokens being gone.
REWRITTEN = {"LifecyclePolicyText"}
INTEGERS = {"integer": 2**31, "long": 2**63}
_PARSER = create_parser("json")


def check(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Raise AssertionError unless the answer is one of `operation` by the model; return what botocore reads of it.

    `headers` by their names in small letters.
    """
    assert headers["content-type"] == CONTENT_TYPE, headers
    assert str(uuid.UUID(headers["x-amzn-requestid"])) == headers["x-amzn-requestid"], headers
    document = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    answer = {"status_code": status, "headers": headers, "body": body}
    if status == 200:
        check_value(operation.output_shape, document, "")
    else:
        code = _check_error(operation, status, document)
        assert headers["x-amzn-errortype"] == code, headers
    read: dict[str, Any] = _PARSER.parse(answer, operation.output_shape)
    if status != 200:
        assert read["Error"]["Code"] == code, read
        assert read["Error"]["Message"], read
    return read


def check_before_parse(operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
    """The same as a handler of botocore's event `before-parse.ecr`."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    check(operation_model, response_dict["status_code"], headers, response_dict["body"])


def check_value(shape: Shape | None, value: Any, where: str) -> None:
    """Raise AssertionError unless the JSON value is one of the shape, to the last member; `where` it stands."""
    if shape is None or isinstance(shape, StructureShape):
        _check_structure(shape, value, where)
    elif isinstance(shape, ListShape):
        assert type(value) is list, f"{where} is not a list but {value!r}"
        for position, item in enumerate(value):
            check_value(shape.member, item, f"{where}[{position}]")
    elif isinstance(shape, MapShape):
        assert type(value) is dict, f"{where} is not a map but {value!r}"
        for key, item in value.items():
            check_value(shape.key, key, f"{where}, its key")
            check_value(shape.value, item, f"{where}.{key}")
    else:
        _check_scalar(shape, value, where)


def _check_error(operation: OperationModel, status: int, document: dict[str, Any]) -> str:
    code, message = document.pop("__type"), document.pop("message")
    assert isinstance(message, str), message
    assert message, f"{code} says nothing"
    assert code in model.error_codes(operation.name) | COMMON_ERRORS.keys(), f"{operation.name} has no error {code}"
    expected = {500, UNAVAILABLE} if code == "ServerException" else {COMMON_ERRORS.get(code, 400), 404}
    assert status in expected, f"{code} has the status {status}"
    shape = model.SERVICE.shape_for_error_code(code)
    assert set(document) <= model.members_of(shape).keys(), f"{code} has no {set(document)}"
    for name, value in document.items():
        check_value(shape.members[name], value, name)
    return str(code)


def _check_structure(shape: StructureShape | None, value: Any, where: str) -> None:
    assert type(value) is dict, f"{where} is not a structure but {value!r}"
    members = model.members_of(shape)
    assert value.keys() <= members.keys(), f"{where} has {value.keys() - members.keys()}, which the model has not"
    if shape is not None:
        missing = set(shape.required_members) - value.keys()
        assert not missing, f"{where} has no {missing}"
    for name, member in value.items():
        check_value(members[name], member, f"{where}.{name}" if where else name)


def _check_scalar(shape: Shape, value: Any, where: str) -> None:
    told = f"{where} is not {shape.name}, a {shape.type_name}: {value!r:.300}"
    if shape.type_name == "string":
        assert type(value) is str, told
        _check_text(shape, value, told)
    elif shape.type_name in INTEGERS:
        assert type(value) is int, told
        assert -INTEGERS[shape.type_name] <= value < INTEGERS[shape.type_name], told
        assert value >= shape.metadata.get("min", value), told
    elif shape.type_name == "boolean":
        assert type(value) is bool, told
    elif shape.type_name == "blob":
        base64.b64decode(value, validate=True)
    else:
        assert type(value) in (int, float), told


def _check_text(shape: Shape, value: str, told: str) -> None:
    metadata: dict[str, Any] = shape.metadata
    assert value in metadata.get("enum", [value]), told
    if "pattern" in metadata:
        assert _compiled(metadata["pattern"]).fullmatch(value), told
    if shape.name not in REWRITTEN:
        assert metadata.get("min", 0) <= len(value) <= metadata.get("max", len(value)), told


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), f"a member is there twice: {pairs}"
    return dict(pairs)


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no number of JSON")
