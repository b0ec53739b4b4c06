"""The Query protocol: form parameters in, XML out (STS)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import StructureShape

from berth.errors import EcrError
from controlplane.wire.answer import Answer
from controlplane.wire.faults import Serialization, UnknownOperation
from controlplane.wire.model import Members, Operation, Service

CONTENT_TYPE = "text/xml"
MAX_PARAMETERS = 1000

# The protocol's own names of what is the same fault in JSON (STS API reference, "Common Errors"), each with its status.
ERRORS = {
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "AccessDeniedException": ("AccessDenied", 403),
    "UnknownOperationException": ("InvalidAction", 400),
    "SerializationException": ("MalformedQueryString", 400),
    "InvalidParameterException": ("ValidationError", 400),
    "ValidationException": ("ValidationError", 400),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
}


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
    """The members of an input shape whose members are all strings."""
    return operation.parse({name: value for name, value in given.items() if name not in ("Action", "Version")})


def answer(service: Service, operation: Operation, members: Members, request_id: str) -> Answer:
    shape = service.model.operation_model(operation.name).output_shape
    content = "" if shape is None else _members(shape, operation.serialize(members))
    return _xml(
        200,
        f'<{operation.name}Response xmlns="{service.model.metadata["xmlNamespace"]}">'
        f"<{operation.name}Result>{content}</{operation.name}Result>"
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata>"
        f"</{operation.name}Response>",
    )


def error(service: Service, fault: EcrError, request_id: str) -> Answer:
    code, status = ERRORS.get(fault.code, (fault.code.removesuffix("Exception"), fault.status))
    return _xml(
        status,
        f'<ErrorResponse xmlns="{service.model.metadata["xmlNamespace"]}"><Error>'
        f"<Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code>"
        f"<Message>{escape(_printable(fault.message))}</Message></Error>"
        f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>",
    )


def _members(shape: StructureShape, members: Members) -> str:
    return "".join(f"<{name}>{escape(str(members[name]))}</{name}>" for name in shape.members if name in members)


def _printable(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write."""
    return "".join(c if c >= " " or c in "\t\n" else "�" for c in text.encode(errors="replace").decode())


def _xml(status: int, text: str) -> Answer:
    return Answer(status, CONTENT_TYPE, text.encode())
