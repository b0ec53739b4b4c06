"""What a bucket refuses, told so that whoever runs Berth knows what to do."""

from collections.abc import Mapping
from xml.etree import ElementTree

from berth.store.contract import StoreUnavailable

# Amazon S3 API reference, "Error responses".
_MEND = {
    "NoSuchBucket": "the bucket of BERTH_STORE does not exist there: make it, or correct BERTH_STORE",
    "AccessDenied": "the credentials do not allow it: grant them what docs/deployment.md lists",
    "InvalidAccessKeyId": "the server does not know the access key: see BERTH_S3_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret is not that of the access key: see BERTH_S3_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired",
    "RequestTimeTooSkewed": "the clocks of Berth and of the server differ too much",
    "PermanentRedirect": "the bucket is in another region: see BERTH_S3_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: see BERTH_S3_REGION",
}
_PASSING_CODES = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    # A bit of a part was lost on its way.
    "BadDigest",
    "XAmzContentChecksumMismatch",
}
# HEAD has no body that could name the code.
_CODES = {301: "PermanentRedirect", 403: "AccessDenied", 404: "NotFound"}
_MISSING_CODES = {"NoSuchKey", "NotFound", "NoSuchUpload"}


class S3Refused(StoreUnavailable):
    """The server answers so to a request, and would answer so again."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class S3Missing(S3Refused):
    """There is no such object, or no such multipart upload."""


class S3Passing(S3Refused):
    """The request did not go through this time, but may the next."""


def refusal(method: str, status: int, headers: Mapping[str, str], body: bytes) -> S3Refused:
    code, message = _told(body)
    code = code or _CODES.get(status, str(status))
    text = f"the store answers {status} {code} to {method}"
    if code in _MEND:
        text += f": {_MEND[code]}"
    elif message:
        text += f": {message[:200]}"
    if region := headers.get("x-amz-bucket-region"):
        text += f" (it is in {region})"
    if code in _MISSING_CODES:
        return S3Missing(code, text)
    # A conflict is one with another request at the same moment: no two of ours mean one object with other bytes.
    is_passing = status >= 500 or status in (409, 429) or code in _PASSING_CODES
    return (S3Passing if is_passing and status != 501 else S3Refused)(code, text)


def _told(body: bytes) -> tuple[str, str]:
    try:
        # The server is one that whoever runs Berth chose; expat bounds what entities may grow to.
        error = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError:
        return "", ""
    return error.findtext("{*}Code") or "", error.findtext("{*}Message") or ""
