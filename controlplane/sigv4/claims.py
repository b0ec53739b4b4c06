"""What a request says of its signature, checked as far as that can be told without the secret. Pure."""

import contextlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from berth.names import NameInvalid, Registry
from controlplane.sigv4.request import Request
from controlplane.sigv4.written import BASIC, BASIC_FORMAT, TOKEN, what_is_written
from controlplane.wire.faults import IncompleteSignature, InvalidSignature, UnrecognizedClient

TERMINATOR = "aws4_request"
SKEW = timedelta(minutes=15)
SIGNATURE = re.compile(r"[0-9a-f]{64}")
ACCESS_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)
DOES_NOT_MATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


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


def claim(request: Request, service: str, now: datetime) -> Claim:
    """The claim in a request to `service`, well-formed, in time and in scope.

    Raises MissingAuthenticationToken, IncompleteSignature, InvalidSignature, UnrecognizedClient.
    """
    written = what_is_written(request)
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


def _moment(text: str) -> tuple[datetime, str]:
    """When the request says it was signed, also in the basic format, in which it is part of what was signed."""
    if BASIC.fullmatch(text):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text), text
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{text[:50]}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


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
