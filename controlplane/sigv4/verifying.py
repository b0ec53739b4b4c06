"""Whether the holder of the secret has signed a request: the signature made again, and compared. Pure."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from controlplane.sigv4 import presigned
from controlplane.sigv4.canonical import canonical_headers, canonical_path, canonical_query
from controlplane.sigv4.claims import DOES_NOT_MATCH, TERMINATOR, Claim
from controlplane.sigv4.request import Request
from controlplane.sigv4.written import ALGORITHM
from controlplane.wire.faults import InvalidSignature


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
