"""What every answer to a malformed request holds to, in the protocol of whoever asked."""

import json
import uuid
from functools import cache
from xml.etree import ElementTree

from controlplane.wire.model import service
from tests.integration.bad_input.wire import Answer

# Whatever was sent, the answer stays small: nothing of it comes back unbounded.
MAX_ANSWER = 8192
# OCI Distribution 1.1, "Error Codes", and those that only distribution's own specification has.
OCI_CODES = {
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
    "TAG_INVALID",
    "RANGE_INVALID",
    "PAGINATION_NUMBER_INVALID",
}
# ECR API reference, "Common Errors", and those of the protocol itself.
COMMON_ERRORS = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MalformedHttpRequestException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "RequestTimeoutException",
    "SerializationException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
XMLNS = "{https://sts.amazonaws.com/doc/2011-06-15/}"


@cache
def api_errors() -> set[str]:
    model = service("ecr").model
    return COMMON_ERRORS | {model.shape_for(name).name for name in model.shape_names if name.endswith("Exception")}


def check(answer: Answer, *secrets: str) -> None:
    """A refusal, small, that tells neither a secret nor the versions of the software."""
    assert 400 <= answer.status < 500, answer
    assert len(answer.raw) < MAX_ANSWER, answer
    assert answer.headers["server"] == "Berth"
    for secret in secrets:
        assert secret.encode() not in answer.raw, "a secret is in the answer"


def oci_error(answer: Answer) -> tuple[str, str]:
    """Code and message of an error as OCI Distribution 1.1 has it."""
    assert answer.headers["content-type"].partition(";")[0] == "application/json", answer
    document = json.loads(answer.body)
    assert list(document) == ["errors"], document
    (error,) = document["errors"]
    assert set(error) <= {"code", "message", "detail"}, error
    assert error["code"] in OCI_CODES, error
    return str(error["code"]), str(error["message"])


def json_error(answer: Answer) -> tuple[str, str]:
    """Code and message of an error as AWS JSON 1.1 has it."""
    assert answer.headers["content-type"] == "application/x-amz-json-1.1", answer
    document = json.loads(answer.body)
    assert answer.headers["x-amzn-errortype"] == document["__type"], answer
    assert document["__type"] in api_errors(), document
    _check_request_id(answer.headers["x-amzn-requestid"])
    return str(document["__type"]), str(document["message"])


def query_error(answer: Answer) -> tuple[str, str]:
    """Code and message of an error as the Query protocol has it."""
    assert answer.headers["content-type"].partition(";")[0] == "text/xml", answer
    root = ElementTree.fromstring(answer.body)
    assert root.tag == f"{XMLNS}ErrorResponse", answer
    assert root.findtext(f"{XMLNS}Error/{XMLNS}Type") == "Sender"
    _check_request_id(root.findtext(f"{XMLNS}RequestId") or "")
    return (
        root.findtext(f"{XMLNS}Error/{XMLNS}Code") or "",
        root.findtext(f"{XMLNS}Error/{XMLNS}Message") or "",
    )


def _check_request_id(text: str) -> None:
    assert str(uuid.UUID(text)) == text
