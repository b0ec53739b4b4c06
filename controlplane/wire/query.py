"""The Query protocol: form parameters in, XML out (IAM and STS)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from berth.errors import EcrError, ServerError
from controlplane.wire import forms, xml
from controlplane.wire.answer import Answer
from controlplane.wire.faults import Serialization, UnknownOperation
from controlplane.wire.model import Members, Operation, Service

CONTENT_TYPE = "text/xml"
MAX_PARAMETERS = 1000
UNAVAILABLE = 503

# The protocol's own names of what is the same fault in JSON (IAM API reference, "Common errors"), each with its status.
ERRORS = {
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "ExpiredIdentityToken": ("ExpiredTokenException", 400),
    "AccessDeniedException": ("AccessDenied", 403),
    "UnknownOperationException": ("InvalidAction", 400),
    "SerializationException": ("MalformedQueryString", 400),
    "InvalidParameterException": ("ValidationError", 400),
    "ValidationException": ("ValidationError", 400),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
}
# What a service calls a fault of its own.
FAILURES = {"iam": "ServiceFailure", "sts": "InternalFailure"}


def parameters(form: str | bytes | bytearray) -> dict[str, str]:
    """The parameters of a form body or a query string. Raises faults.Serialization."""
    try:
        text = form if isinstance(form, str) else form.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise Serialization("The parameters are not form-encoded (application/x-www-form-urlencoded)") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Serialization("A parameter is given more than once")
    return found


def operation(service: Service, given: Mapping[str, str]) -> Operation:
    """The operation that `Action` and `Version` name. Raises faults.UnknownOperation."""
    action, version = given.get("Action", ""), given.get("Version", service.api_version)
    if version != service.api_version or action not in service.operations:
        raise UnknownOperation(f"Could not find operation {action[:100]} for version {version[:100]}")
    return service.operations[action]


def parse(operation: Operation, given: Mapping[str, str]) -> Members:
    """The members of the operation's input. Raises berth.errors.iam.ValidationError, faults.Serialization."""
    return forms.members(operation, {name: value for name, value in given.items() if name not in ("Action", "Version")})


def answer(service: Service, operation: Operation, members: Members, request_id: str) -> Answer:
    return _xml(
        200,
        f'<{operation.name}Response xmlns="{service.model.metadata["xmlNamespace"]}">'
        f"{xml.result(operation, members)}"
        f"<ResponseMetadata><RequestId>{xml.text(request_id)}</RequestId></ResponseMetadata>"
        f"</{operation.name}Response>",
    )


def error(service: Service, fault: EcrError, request_id: str) -> Answer:
    code, status = _code(service, fault)
    return _xml(
        status,
        f'<ErrorResponse xmlns="{service.model.metadata["xmlNamespace"]}"><Error>'
        f"<Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code>"
        f"<Message>{xml.text(fault.message)}</Message></Error>"
        f"<RequestId>{xml.text(request_id)}</RequestId></ErrorResponse>",
    )


def _code(service: Service, fault: EcrError) -> tuple[str, int]:
    if fault.status == UNAVAILABLE:
        return "ServiceUnavailable", fault.status
    if fault.code == ServerError.code:
        return FAILURES[service.name], fault.status
    return ERRORS.get(fault.code, (fault.code.removesuffix("Exception"), fault.status))


def _xml(status: int, text: str) -> Answer:
    return Answer(status, CONTENT_TYPE, text.encode())
