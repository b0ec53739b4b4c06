"""Where a request says who has signed it: in the Authorization header, or in the query string."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from controlplane.sigv4 import presigned
from controlplane.sigv4.request import Request
from controlplane.wire.faults import IncompleteSignature, MissingAuthenticationToken

ALGORITHM = "AWS4-HMAC-SHA256"
BASIC_FORMAT = "%Y%m%dT%H%M%SZ"
BASIC = re.compile(r"[0-9]{8}T[0-9]{6}Z")
PARAMETERS = ("Credential", "Signature", "SignedHeaders")
TOKEN = "x-amz-security-token"  # noqa: S105
MAX_AUTHORIZATION = 8192


@dataclass(frozen=True, slots=True)
class Written:
    """A claim as it is written, wherever that is."""

    credential: str
    signed_headers: str
    signature: str
    date: str
    token: str | None
    is_presigned: bool


def is_unsigned(request: Request) -> bool:
    """Whether a request does not even try to be signed."""
    return "authorization" not in request.fields and not presigned.given(request.query)


def what_is_written(request: Request) -> Written:
    """Raises MissingAuthenticationToken, IncompleteSignature."""
    header, in_query = request.field("authorization"), presigned.given(request.query)
    if header is not None and in_query:
        raise IncompleteSignature(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header "
            "should be specified"
        )
    return _in_query(request, in_query) if in_query else _in_header(request, header)


def _in_query(request: Request, parameters: dict[str, str]) -> Written:
    presigned.check_complete(parameters)
    _check_algorithm(parameters[presigned.ALGORITHM])
    in_header, token = request.field(TOKEN), parameters.get(presigned.TOKEN)
    if in_header is not None and token is not None:
        raise IncompleteSignature("The session token is given more than once")
    return Written(
        parameters[presigned.CREDENTIAL],
        parameters[presigned.SIGNED_HEADERS],
        parameters[presigned.SIGNATURE],
        parameters[presigned.DATE],
        in_header if token is None else token,
        is_presigned=True,
    )


def _in_header(request: Request, header: str | None) -> Written:
    if header is None or not header.startswith("AWS4-"):
        raise MissingAuthenticationToken
    algorithm, _, rest = header.partition(" ")
    _check_algorithm(algorithm)
    found = _pairs(rest, header)
    lacking = [f"Authorization header requires '{name}' parameter." for name in PARAMETERS if not found.get(name)]
    if "x-amz-date" not in request.fields and "date" not in request.fields:
        lacking.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if lacking:
        raise IncompleteSignature(f"{' '.join(lacking)} {_shown(header)}")
    credential, its_signature, signed_headers = (found[name] for name in PARAMETERS)
    date = request.field("x-amz-date")
    if date is None:
        date = request.field("date") or ""
        date = date if BASIC.fullmatch(date) else _from_http(date)
    return Written(credential, signed_headers, its_signature, date, request.field(TOKEN), is_presigned=False)


def _check_algorithm(algorithm: str) -> None:
    if algorithm != ALGORITHM:
        # Among them AWS4-ECDSA-P256-SHA256, Signature Version 4A: Berth has no public keys of its callers.
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm[:50]}'.")


def _pairs(text: str, header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in re.split(r"[, ]+", text[:MAX_AUTHORIZATION].strip(", ")):
        name, equals, value = part.partition("=")
        if part and not equals:
            raise IncompleteSignature(
                f"Invalid key=value pair (missing equal-sign) in Authorization header {_shown(header)}"
            )
        if part and (name not in PARAMETERS or name in found):
            raise IncompleteSignature(
                f"Authorization header has a parameter of no meaning or twice the same. {_shown(header)}"
            )
        found[name] = value
    return found


def _shown(header: str) -> str:
    """How AWS names the header in an error: an answer may be kept where a signature should not be."""
    digest = hashlib.sha256(header.encode(errors="surrogateescape")).digest()
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={base64.b64encode(digest).decode()}"


def _from_http(text: str) -> str:
    """The date of an HTTP header in the basic format; what is no such date, as it is."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime(BASIC_FORMAT)
    except (ValueError, OverflowError):
        return text
