"""Signature Version 4, verified: in the Authorization header or in the query string.

IAM user guide, "AWS Signature Version 4 for API requests", "Create a signed AWS API request".

What can be told without the secret is told by `claim`; the caller then looks the access key up, and `verify` compares
the signatures. Both are pure. Each failure has the code and the text of AWS's JSON services.
"""

import base64
import contextlib
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache

from berth.names import NameInvalid, Registry
from controlplane import presigned
from controlplane.canonical import canonical_headers, canonical_path, canonical_query
from controlplane.wire.faults import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
SKEW = timedelta(minutes=15)
BASIC_FORMAT = "%Y%m%dT%H%M%SZ"
BASIC = re.compile(r"[0-9]{8}T[0-9]{6}Z")
PARAMETERS = ("Credential", "Signature", "SignedHeaders")
SIGNATURE = re.compile(r"[0-9a-f]{64}")
ACCESS_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)
TOKEN = "x-amz-security-token"  # noqa: S105
MAX_AUTHORIZATION = 8192
DOES_NOT_MATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire: the path and the query string undecoded, the headers in their order."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes | bytearray

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The headers' values by name in small letters."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def field(self, name: str) -> str | None:
        """The value of a header that may be given once. Raises IncompleteSignature."""
        values = self.fields.get(name, [])
        if len(values) > 1:
            raise IncompleteSignature(f"The header '{name}' is given more than once")
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a request says has signed it, for which region, and over what; not to be believed before `verify`.

    `token` is the session token that goes with a temporary access key; `is_presigned`: it is all in the query string.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    moment: str
    signed_headers: tuple[str, ...]
    signature: str
    token: str | None = field(default=None, repr=False)
    is_presigned: bool = False


@dataclass(frozen=True, slots=True)
class _Written:
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


def claim(request: Request, service: str, now: datetime) -> Claim:
    """The claim in a request to `service`, well-formed, in time and in scope.

    Raises MissingAuthenticationToken, IncompleteSignature, InvalidSignature, UnrecognizedClient.
    """
    written = _written(request)
    moment, basic = _moment(written.date)
    _in_time(moment, now)
    signed = _signed_headers(request, written.signed_headers)
    access_key_id, date, region = _scope(written.credential, service, basic)
    if not ACCESS_KEY_ID.fullmatch(access_key_id):
        raise UnrecognizedClient
    if not SIGNATURE.fullmatch(written.signature):
        raise InvalidSignature(DOES_NOT_MATCH)
    return Claim(
        access_key_id, date, region, service, basic, signed, written.signature, written.token, written.is_presigned
    )


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Raises InvalidSignature unless the holder of `secret` signed this request."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    declared = request.field("x-amz-content-sha256")
    if declared is not None and not hmac.compare_digest(declared.encode(), body_hash.encode()):
        raise InvalidSignature("The provided 'x-amz-content-sha256' header does not match what was computed.")
    if not any(_is_signed(request, claim, secret, body_hash, without) for without in _left_out(claim)):
        raise InvalidSignature(DOES_NOT_MATCH)


def _left_out(claim: Claim) -> list[tuple[str, ...]]:
    """What of the query string may be none of what was signed.

    AWS's suite has session tokens that were added behind the signature: that a token belongs to its access key, it
    says itself.
    """
    if not claim.is_presigned:
        return [()]
    without = (presigned.SIGNATURE,)
    return [without] if claim.token is None else [without, (*without, presigned.TOKEN)]


def _is_signed(request: Request, claim: Claim, secret: str, body_hash: str, without: Sequence[str]) -> bool:
    canonical = canonical_request(request, claim.signed_headers, body_hash, without)
    expected = signature(claim, string_to_sign(claim, canonical), secret)
    return hmac.compare_digest(expected.encode(), claim.signature.encode())


def canonical_request(
    request: Request, signed_headers: Sequence[str], body_hash: str, without: Sequence[str] = ()
) -> str:
    """`without` are the parameters of the query string that are not in it."""
    return "\n".join(
        (
            request.method,
            canonical_path(request.path),
            canonical_query(request.query, without),
            canonical_headers(request.fields, signed_headers),
            ";".join(signed_headers),
            body_hash,
        )
    )


def string_to_sign(claim: Claim, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{claim.moment}\n{claim.date}/{claim.region}/{claim.service}/{TERMINATOR}\n{digest}"


def signature(claim: Claim, text: str, secret: str) -> str:
    return _hmac(signing_key(secret, claim.date, claim.region, claim.service), text).hex()


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, TERMINATOR):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _written(request: Request) -> _Written:
    """Raises MissingAuthenticationToken, IncompleteSignature."""
    header, in_query = request.field("authorization"), presigned.given(request.query)
    if header is not None and in_query:
        raise IncompleteSignature(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header "
            "should be specified"
        )
    return _in_query(request, in_query) if in_query else _in_header(request, header)


def _in_query(request: Request, parameters: dict[str, str]) -> _Written:
    presigned.check_complete(parameters)
    _check_algorithm(parameters[presigned.ALGORITHM])
    in_header, token = request.field(TOKEN), parameters.get(presigned.TOKEN)
    if in_header is not None and token is not None:
        raise IncompleteSignature("The session token is given more than once")
    return _Written(
        parameters[presigned.CREDENTIAL],
        parameters[presigned.SIGNED_HEADERS],
        parameters[presigned.SIGNATURE],
        parameters[presigned.DATE],
        in_header if token is None else token,
        is_presigned=True,
    )


def _in_header(request: Request, header: str | None) -> _Written:
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
    return _Written(credential, signed_headers, its_signature, date, request.field(TOKEN), is_presigned=False)


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


def _moment(text: str) -> tuple[datetime, str]:
    """When the request says it was signed, also in the basic format, in which it is part of what was signed."""
    if BASIC.fullmatch(text):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text), text
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{text[:50]}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _from_http(text: str) -> str:
    """The date of an HTTP header in the basic format; what is no such date, as it is."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime(BASIC_FORMAT)
    except (ValueError, OverflowError):
        return text


def _in_time(moment: datetime, now: datetime) -> None:
    if moment < now - SKEW:
        fault, edge, sign = "Signature expired: {} is now earlier than", now - SKEW, "-"
    elif moment > now + SKEW:
        fault, edge, sign = "Signature not yet current: {} is still later than", now + SKEW, "+"
    else:
        return
    signed, limit, here = (one.strftime(BASIC_FORMAT) for one in (moment, edge, now))
    minutes = int(SKEW.total_seconds() // 60)
    raise InvalidSignature(f"{fault.format(signed)} {limit} ({here} {sign} {minutes} min.)")


def _signed_headers(request: Request, text: str) -> tuple[str, ...]:
    """The names that were signed: in order, present, `host` and every `x-amz-…` that came among them."""
    names = tuple(text.split(";"))
    if list(names) != sorted(set(names)) or any(name != name.lower() for name in names):
        raise InvalidSignature(DOES_NOT_MATCH)
    if "host" not in names:
        raise InvalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in request.fields:
        # A session token may be added behind the signature, as AWS's suite has it.
        if name.startswith("x-amz-") and name not in names and name != TOKEN:
            raise InvalidSignature(f"'{name[:100]}' must be a 'SignedHeader' in the AWS Authorization.")
    if any(name not in request.fields for name in names):
        raise InvalidSignature(DOES_NOT_MATCH)
    return names


def _scope(credential: str, service: str, moment: str) -> tuple[str, str, str]:
    """Access key id, date and region of `KEY/DATE/REGION/SERVICE/aws4_request`."""
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or "/" in parts[0]:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential[:200]}'"
        )
    access_key_id, date, region, for_service, terminator = parts
    faults = []
    try:
        Registry.parse("000000000000", region)
    except NameInvalid:
        faults.append("Credential should be scoped to a valid region.")
    if for_service != service:
        faults.append(f"Credential should be scoped to correct service: '{service}'.")
    if terminator != TERMINATOR:
        faults.append(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    if date != moment[:8]:
        faults.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date[:20]}' != '{moment[:8]}', from '{moment}'."
        )
    if faults:
        raise InvalidSignature(" ".join(faults))
    return access_key_id, date, region
