"""What every answer of IAM and STS holds to, as it is on the wire: to the letter of the model's shapes.

botocore passes over elements that it does not know, and reads what it gets; clients in other languages don't.
"""

import base64
import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

CONTENT_TYPE = "text/xml"
# The root has no name and no path, and its id is that of its account (IAM API reference, "GetUser").
OF_NO_ROOT = {"User": {"Path", "UserName"}, "AccessKey": {"UserName"}}
ROOT_ID = re.compile(r"[0-9]{12}")
# Answers may be longer than requests.
PATTERNS = {"pathType", "idType", "accessKeyIdType", "userNameType", "groupNameType", "roleNameType", "policyNameType"}
# What AWS says where its model has another word (IAM API reference, "AttachedPermissionsBoundary").
SAID = {"PermissionsBoundaryAttachmentType": "Policy"}
SCALARS: dict[str, Callable[[str], object]] = {
    "string": str,
    "blob": partial(base64.b64decode, validate=True),
    "integer": int,
    "boolean": ("true", "false").index,
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").fullmatch,
}


def check_before_parse(operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
    """As a handler of botocore's event `before-parse.iam`."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    assert headers["content-type"] == CONTENT_TYPE, headers
    check(operation_model, response_dict["status_code"], response_dict["body"], headers["x-amzn-requestid"])


def check(operation: OperationModel, status: int, body: bytes, request_id: str) -> None:
    """Raise AssertionError unless the answer is one of `operation` by the model."""
    root = ElementTree.fromstring(body)
    namespace = f"{{{operation.service_model.metadata['xmlNamespace']}}}"
    assert all(element.tag.startswith(namespace) for element in root.iter()), body
    for element in root.iter():
        element.tag = element.tag.removeprefix(namespace)
    if status == 200:
        _check_success(operation, root, request_id)
    else:
        _check_error(operation, status, root, request_id)


def _check_success(operation: OperationModel, root: Element, request_id: str) -> None:
    assert root.tag == f"{operation.name}Response"
    shape = operation.output_shape
    names = [child.tag for child in root]
    if shape is None:
        assert names == ["ResponseMetadata"]
    else:
        assert names == [shape.serialization["resultWrapper"], "ResponseMetadata"]
        check_element(shape, root[0], operation.name)
    assert str(uuid.UUID(root.findtext("ResponseMetadata/RequestId"))) == request_id


def _check_error(operation: OperationModel, status: int, root: Element, request_id: str) -> None:
    assert root.tag == "ErrorResponse"
    assert [child.tag for child in root] == ["Error", "RequestId"]
    assert [child.tag for child in root[0]] == ["Type", "Code", "Message"]
    kind, code, message = [child.text for child in root[0]]
    assert kind == ("Sender" if status < 500 else "Receiver")
    assert message, f"{code} says nothing"
    assert root[1].text == request_id
    modelled = {shape.metadata["error"]["code"]: shape.metadata["error"] for shape in operation.error_shapes}
    if code in modelled:
        assert status == modelled[code]["httpStatusCode"], f"{code} has the status {status}"


def check_element(shape: Shape, element: Element, where: str) -> None:
    """Raise AssertionError unless the element is one of the shape, to the last member; `where` it stands."""
    if isinstance(shape, StructureShape):
        _check_structure(shape, element, where)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(element):
            assert item.tag == "member", f"{where} has {item.tag}"
            check_element(shape.member, item, f"{where}[{number}]")
    elif isinstance(shape, MapShape):
        for entry in element:
            assert [entry.tag, *(part.tag for part in entry)] == ["entry", "key", "value"], where
            check_element(shape.key, entry[0], f"{where}, its key")
            check_element(shape.value, entry[1], f"{where}.{entry[0].text}")
    else:
        _check_scalar(shape, element, where)


def _check_structure(shape: StructureShape, element: Element, where: str) -> None:
    names = [child.tag for child in element]
    assert len(set(names)) == len(names), f"{where} has a member twice: {names}"
    assert set(names) <= shape.members.keys(), f"{where} has {names}"
    missing = set(shape.required_members) - set(names)
    is_root = ROOT_ID.fullmatch(element.findtext("UserId") or "") or shape.name == "AccessKey"
    assert not missing or (is_root and missing == OF_NO_ROOT.get(shape.name)), f"{where} lacks {missing}"
    for child in element:
        check_element(shape.members[child.tag], child, f"{where}.{child.tag}")


def _check_scalar(shape: Shape, element: Element, where: str) -> None:
    text = element.text or ""
    assert len(element) == 0, where
    if shape.name == "policyDocumentType":
        assert re.fullmatch(r"[A-Za-z0-9._~%-]+", text), f"{where} is not percent-encoded"
        assert unquote(text).startswith("{"), where
        return
    assert SCALARS[shape.type_name](text) is not None, f"{where} is no {shape.type_name}: {text}"
    metadata: dict[str, Any] = shape.metadata
    assert text in metadata.get("enum", [text]) or text == SAID.get(shape.name), f"{where} is {text}"
    if shape.name in PATTERNS and not ROOT_ID.fullmatch(text):
        assert re.fullmatch(metadata["pattern"], text, re.ASCII), f"{where} is {text}"
        assert metadata["min"] <= len(text) <= metadata["max"], f"{where} is {text}"
