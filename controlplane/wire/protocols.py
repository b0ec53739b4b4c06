"""Which protocol a request speaks: AWS JSON 1.1 (ECR) or Query (IAM, STS); both do the same four things."""

import re
from collections.abc import Mapping
from typing import Protocol

from berth.errors import EcrError
from controlplane.sigv4 import Request
from controlplane.wire import json11, query
from controlplane.wire.answer import Answer
from controlplane.wire.faults import NotServedHere
from controlplane.wire.model import Members, Operation, Service, service

FORM = "application/x-www-form-urlencoded"
TARGET = "x-amz-target"

MIB = 1024 * 1024
# What a body of the model's largest members comes to in JSON: a part of 20 MiB in base64, a manifest of 4 MiB in which
# every other character is escaped.
LARGEST_BODIES = {"UploadLayerPart": 28 * MIB, "PutImage": 12 * MIB}
LARGEST_BODY = 1 * MIB
# Policies of IAM, of which each character may take three.
LARGEST_FORMS = {"iam": 1 * MIB, "sts": 64 * 1024}


class Wire(Protocol):
    """A protocol, and the service that speaks it here."""

    service: Service

    def body_limit(self, headers: Mapping[str, str]) -> int:
        """How many bytes the body of a request with these headers may have."""

    def operation(self, request: Request) -> Operation:
        """The operation that the request names. Raises faults.UnknownOperation, faults.Serialization."""

    def members(self, operation: Operation, request: Request) -> Members:
        """The members of the operation's input. Raises faults.Serialization, berth.errors.InvalidParameter."""

    def answer(self, operation: Operation, members: Members, request_id: str) -> Answer: ...

    def error(self, fault: EcrError, request_id: str) -> Answer: ...


class JsonWire:
    def __init__(self, name: str) -> None:
        self.service = service(name)

    def body_limit(self, headers: Mapping[str, str]) -> int:
        return LARGEST_BODIES.get(headers.get(TARGET, "").rpartition(".")[2], LARGEST_BODY)

    def operation(self, request: Request) -> Operation:
        if request.method != "POST" or request.path != "/":
            raise NotServedHere("This API takes POST requests for the path /")
        return self.service.operation_of_target(request.field(TARGET) or "")

    def members(self, operation: Operation, request: Request) -> Members:
        return json11.parse(operation, request.body)

    def answer(self, operation: Operation, members: Members, _request_id: str) -> Answer:
        return json11.answer(operation, members)

    def error(self, fault: EcrError, _request_id: str) -> Answer:
        return json11.error(fault)


class QueryWire:
    def __init__(self, name: str) -> None:
        self.service = service(name)

    def body_limit(self, _headers: Mapping[str, str]) -> int:
        return LARGEST_FORMS[self.service.name]

    def operation(self, request: Request) -> Operation:
        if request.method not in ("POST", "GET") or request.path != "/":
            raise NotServedHere("This API takes GET and POST requests for the path /")
        return query.operation(self.service, self._given(request))

    def members(self, operation: Operation, request: Request) -> Members:
        return query.parse(operation, self._given(request))

    def answer(self, operation: Operation, members: Members, request_id: str) -> Answer:
        return query.answer(self.service, operation, members, request_id)

    def error(self, fault: EcrError, request_id: str) -> Answer:
        return query.error(self.service, fault, request_id)

    def _given(self, request: Request) -> dict[str, str]:
        return query.parameters(request.query if request.method == "GET" else request.body)


JSON, IAM, STS = JsonWire("ecr"), QueryWire("iam"), QueryWire("sts")
# For whom a request is signed, in its header or in a presigned URL.
SIGNED_FOR_IAM = re.compile(r"Credential=[^,&\s]+(?:/|%2F)iam(?:/|%2F)aws4_request", re.IGNORECASE)
VERSION_OF_IAM = re.compile(r"(?:^|&)Version=2010-05-08(?:&|$)")


def spoken(headers: Mapping[str, str], query_string: str) -> Wire:
    """The protocol of a request with these headers; JSON where nothing tells."""
    is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    if TARGET in headers or not (is_form or "Action=" in query_string):
        return JSON
    is_for_iam = SIGNED_FOR_IAM.search(headers.get("authorization", "") or query_string)
    return IAM if is_for_iam or VERSION_OF_IAM.search(query_string) else STS
