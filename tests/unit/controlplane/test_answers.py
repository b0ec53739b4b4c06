"""How answers and errors look on the wire, in both protocols."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from botocore.parsers import create_parser

from berth.errors import AccessDenied, EcrError, InvalidLayerPart, RepositoryNotFound
from berth.names import Registry
from controlplane.wire import json11, model, query
from controlplane.wire.faults import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    Serialization,
    UnknownOperation,
    UnrecognizedClient,
)

ECR, STS = model.service("ecr"), model.service("sts")
REGISTRY = Registry("123456789012", "eu-west-1")
NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def test_members_go_out_by_the_model_and_absent_ones_not_at_all() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_912, tzinfo=UTC)
    members: dict[str, Any] = {"repositories": [{"repositoryName": "ab", "createdAt": moment, "registryId": None}]}
    answer = json11.answer(ECR.operations["DescribeRepositories"], {**members, "nextToken": None})
    assert (answer.status, answer.content_type) == (200, "application/x-amz-json-1.1")
    assert orjson.loads(answer.body) == {"repositories": [{"repositoryName": "ab", "createdAt": 1767323045.679}]}


def test_a_name_that_the_output_does_not_have_never_goes_out() -> None:
    with pytest.raises(KeyError):
        json11.answer(ECR.operations["DescribeRepositories"], {"repositorys": []})


def test_an_error_is_named_in_the_body_and_in_a_header_with_its_modelled_members() -> None:
    answer = json11.error(InvalidLayerPart(REGISTRY, "ab", "u-1", 42, "The part does not follow"))
    assert answer.status == 400
    assert answer.headers == {"x-amzn-ErrorType": "InvalidLayerPartException"}
    assert orjson.loads(answer.body) == {
        "__type": "InvalidLayerPartException",
        "message": "The part does not follow",
        "registryId": "123456789012",
        "repositoryName": "ab",
        "uploadId": "u-1",
        "lastValidByteReceived": 41,
    }


def test_botocore_reads_an_error_as_it_reads_those_of_aws() -> None:
    answer = json11.error(RepositoryNotFound(REGISTRY, "ab"))
    shape = ECR.model.operation_model("DescribeRepositories").output_shape
    parsed = create_parser("json").parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, shape
    )
    assert parsed["Error"] == {
        "Code": "RepositoryNotFoundException",
        "Message": "The repository with name 'ab' does not exist in the registry with id '123456789012'",
    }


def test_a_query_answer_is_the_xml_that_botocore_reads() -> None:
    members = {"UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/<&>"}
    answer = query.answer(STS, STS.operations["GetCallerIdentity"], members, "r-1")
    shape = STS.model.operation_model("GetCallerIdentity").output_shape
    parsed = create_parser("query").parse({"status_code": 200, "headers": {}, "body": answer.body}, shape)
    assert parsed == {**members, "ResponseMetadata": {"RequestId": "r-1", "HTTPStatusCode": 200, "HTTPHeaders": {}}}


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (MissingAuthenticationToken(), "MissingAuthenticationToken", 403),
        (IncompleteSignature("x"), "IncompleteSignature", 400),
        (InvalidSignature("x"), "SignatureDoesNotMatch", 403),
        (UnrecognizedClient(), "InvalidClientTokenId", 403),
        (AccessDenied("User: who"), "AccessDenied", 403),
        (UnknownOperation("x"), "InvalidAction", 400),
        (Serialization("x"), "MalformedQueryString", 400),
        (RepositoryNotFound(REGISTRY, "ab"), "RepositoryNotFound", 400),
    ],
)
def test_a_query_error_has_the_protocols_own_code_and_status(fault: EcrError, code: str, status: int) -> None:
    answer = query.error(STS, fault, "r-1")
    assert (answer.status, answer.content_type) == (status, "text/xml")
    root = ElementTree.fromstring(answer.body)
    assert root.tag == f"{NAMESPACE}ErrorResponse"
    assert root.findtext(f"{NAMESPACE}RequestId") == "r-1"
    error = root.find(f"{NAMESPACE}Error")
    assert error is not None
    assert [child.text for child in error] == ["Sender", code, fault.message]


def test_a_query_error_stays_xml_whatever_it_says() -> None:
    answer = query.error(STS, InvalidSignature("<a> & \x00 \x1b \ud800 é"), "<r>")
    root = ElementTree.fromstring(answer.body)
    assert root.findtext(f"{NAMESPACE}Error/{NAMESPACE}Message") == "<a> & � � ? é"
    assert root.findtext(f"{NAMESPACE}RequestId") == "<r>"


def test_query_parameters_name_the_operation() -> None:
    given = query.parameters("Action=GetCallerIdentity&Version=2011-06-15")
    operation = query.operation(STS, given)
    assert operation.name == "GetCallerIdentity"
    assert query.parse(operation, given) == {}


@pytest.mark.parametrize(
    "text", ["Action=A&Version=2011-06-15", "Action=GetCallerIdentity&Version=2010-01-01", "Version=2011-06-15", ""]
)
def test_query_parameters_of_no_operation_are_refused(text: str) -> None:
    with pytest.raises(UnknownOperation, match="Could not find operation"):
        query.operation(STS, query.parameters(text))


@pytest.mark.parametrize("text", ["Action", "a=b&&c=d", "a=%ff", "a=1&a=2", "&".join(f"a{n}=1" for n in range(1001))])
def test_what_is_not_a_form_is_refused(text: str) -> None:
    with pytest.raises(Serialization):
        query.parameters(text)
