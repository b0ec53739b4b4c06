"""A request is who it says it is, or it is refused with AWS's own words."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import EcrError
from controlplane import sigv4
from controlplane.sigv4 import DOES_NOT_MATCH, Request, verifying

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "sigv4_vectors.json").read_text())
# The services of Berth have their paths normalized, as all but S3; in one path there is nothing to normalize.
NORMAL = {"get-space-unnormalized"}
NORMALIZED = sorted(name for name, case in VECTORS.items() if case["context"]["normalize"] or name in NORMAL)

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TARGET = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"
NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def of_vector(text: str) -> Request:
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    method, _, rest = first.partition(" ")
    path, _, query = rest.rpartition(" ")[0].partition("?")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(" "):
            name, value = headers.pop()
            headers.append((name, f"{value}\n{line}"))
        else:
            name, _, value = line.partition(":")
            headers.append((name, value))
    return Request(method, path, query, headers, body.encode())


@pytest.mark.parametrize("name", NORMALIZED)
def test_the_requests_that_aws_has_signed_are_verified(name: str) -> None:
    case = VECTORS[name]
    check_vector(case, "header", of_vector(case["header-signed-request"]), ())


@pytest.mark.parametrize("name", NORMALIZED)
def test_the_urls_that_aws_has_presigned_are_verified(name: str) -> None:
    case = VECTORS[name]
    added = ("X-Amz-Security-Token",) if case["context"].get("omit_session_token") else ()
    check_vector(case, "query", of_vector(case["query-signed-request"]), ("X-Amz-Signature", *added))


def check_vector(case: dict[str, Any], form: str, request: Request, without: tuple[str, ...]) -> None:
    credentials = case["context"]["credentials"]
    secret = credentials["secret_access_key"]
    claim = sigv4.claim(request, "service", datetime.fromisoformat(case["context"]["timestamp"]))
    body_hash = hashlib.sha256(request.body).hexdigest()
    canonical = verifying.canonical_request(request, claim.signed_headers, body_hash, without)
    assert canonical == case[f"{form}-canonical-request"]
    assert verifying.string_to_sign(claim, canonical) == case[f"{form}-string-to-sign"]
    assert (claim.access_key_id, claim.token) == (credentials["access_key_id"], credentials.get("token"))
    sigv4.verify(request, claim, secret)
    with pytest.raises(EcrError, match="does not match"):
        sigv4.verify(request, claim, secret + "x")


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - set(NORMALIZED)))
@pytest.mark.parametrize("form", ["header", "query"])
def test_a_path_that_was_signed_as_s3_has_it_is_refused(name: str, form: str) -> None:
    case = VECTORS[name]
    request = of_vector(case[f"{form}-signed-request"])
    claim = sigv4.claim(request, "service", datetime.fromisoformat(case["context"]["timestamp"]))
    with pytest.raises(EcrError, match="does not match"):
        sigv4.verify(request, claim, case["context"]["credentials"]["secret_access_key"])


def signed(
    method: str = "POST",
    url: str = "http://localhost:4500/",
    headers: dict[str, str] | None = None,
    body: bytes = b"{}",
    region: str = "eu-west-1",
    service: str = "ecr",
) -> Request:
    """A request that botocore signed just now."""
    given = {"Host": url.split("/")[2], "X-Amz-Target": TARGET, **(headers or {})}
    request = AWSRequest(method, url, headers=given, data=body)
    SigV4Auth(Credentials(KEY_ID, SECRET), service, region).add_auth(request)
    path, _, query = url.partition("/")[2].partition("/")[2].partition("/")[2].partition("?")
    return Request(method, f"/{path}", query, list(request.headers.items()), body)


def check(request: Request, now: datetime | None = None, service: str = "ecr", secret: str = SECRET) -> sigv4.Claim:
    claim = sigv4.claim(request, service, now or datetime.now(UTC))
    sigv4.verify(request, claim, secret)
    return claim


def presigned(
    url: str = "http://localhost:4500/?Action=GetCallerIdentity&Version=2011-06-15",
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    service: str = "sts",
    region: str = "eu-west-1",
) -> Request:
    """A request that botocore presigned just now."""
    given = {"Host": url.split("/")[2], **(headers or {})}
    request = AWSRequest("GET", url, headers=given, data=b"")
    SigV4QueryAuth(Credentials(KEY_ID, SECRET, token), service, region).add_auth(request)
    path, _, query = request.url.split("/", 3)[3].partition("?")
    return Request("GET", f"/{path}", query, list(request.headers.items()), b"")


VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
SEGMENT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    segments=st.lists(SEGMENT | st.sampled_from([".", "..", ""]), max_size=5),
    query=st.lists(st.tuples(SEGMENT, SEGMENT), max_size=5),
    headers=st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True), VISIBLE, max_size=5),
    body=st.binary(max_size=100),
    region=st.sampled_from(["us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "ap-southeast-5"]),
)
def test_whatever_botocore_signs_is_verified(
    method: str,
    segments: list[str],
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    region: str,
) -> None:
    taken = {"authorization", "host", "date", "content-length", "expect", "user-agent", "connection"}
    own = {f"My-{name}": value for name, value in headers.items() if name.lower() not in taken}
    own = {name.lower(): value for name, value in own.items()}
    path = "/".join(quote(segment, safe="") for segment in segments)
    url = f"http://localhost:4500/{path}"
    if query:
        url += "?" + urlencode(query, quote_via=quote)
    claim = check(signed(method, url, own, body, region))
    assert (claim.access_key_id, claim.region) == (KEY_ID, region)


@given(
    segments=st.lists(SEGMENT, max_size=4),
    query=st.lists(st.tuples(SEGMENT.map("p".__add__), SEGMENT), max_size=5, unique_by=lambda pair: pair[0]),
    headers=st.dictionaries(st.from_regex(r"my-[a-z0-9-]{0,12}", fullmatch=True), VISIBLE, max_size=3),
    token=st.none() | st.text(min_size=1, max_size=60),
)
def test_whatever_botocore_presigns_is_verified(
    segments: list[str], query: list[tuple[str, str]], headers: dict[str, str], token: str | None
) -> None:
    path = "/".join(quote(segment, safe="") for segment in segments)
    url = f"http://localhost:4500/{path}?{urlencode(query, quote_via=quote)}"
    claim = check(presigned(url, token=token, headers=headers), service="sts")
    assert (claim.access_key_id, claim.token, claim.is_presigned) == (KEY_ID, token, True)


def changed(request: Request, name: str, change: Callable[[str], str | None]) -> Request:
    """The same request with one header changed, or left out."""
    headers = []
    for header, value in request.headers:
        new = change(value) if header.lower() == name else value
        if new is not None:
            headers.append((header, new))
    return replace(request, headers=headers)


def authorization(change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    return lambda request: changed(request, "authorization", change)


def header(name: str, value: str) -> Callable[[Request], Request]:
    return lambda request: replace(request, headers=[*request.headers, (name, value)])


def swapped(old: str, new: str) -> Callable[[Request], Request]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return authorization(change)


# The day that a request says it was signed on.
DAY = re.compile(r"(?<=/)[0-9]{8}(?=/)")


def on_a_day(day: str) -> Callable[[str], str]:
    """Change the day in the scope of the signature."""
    return lambda scope: DAY.sub(day, scope)


TAMPERED: list[tuple[str, Callable[[Request], Request], str, str]] = [
    ("no Authorization", authorization(lambda _: None), "MissingAuthenticationToken", "Missing Authentication Token"),
    ("empty Authorization", authorization(lambda _: ""), "MissingAuthenticationToken", "Missing Authentication Token"),
    ("basic", authorization(lambda _: "Basic QVdTOng="), "MissingAuthenticationToken", "Missing Authentication Token"),
    ("bearer", authorization(lambda _: "Bearer abc"), "MissingAuthenticationToken", "Missing Authentication Token"),
    ("version 2", authorization(lambda _: f"AWS {KEY_ID}:sig="), "MissingAuthenticationToken", "Missing"),
    ("two Authorizations", header("Authorization", "AWS4-HMAC-SHA256"), "IncompleteSignature", "more than once"),
    ("no parameters", authorization(lambda _: "AWS4-HMAC-SHA256"), "IncompleteSignature", "requires 'Credential'"),
    ("another hash", swapped("SHA256 C", "SHA512 C"), "IncompleteSignature", "Unsupported AWS 'algorithm'"),
    ("sigv4a", swapped("HMAC-SHA256", "ECDSA-P256-SHA256"), "IncompleteSignature", "'AWS4-ECDSA-P256-SHA256'"),
    ("no Credential", swapped("Credential=", "X="), "IncompleteSignature", "no meaning or twice"),
    ("empty Credential", swapped(KEY_ID, ""), "UnrecognizedClient", "security token included"),
    ("no Signature", authorization(lambda a: a.split(", Sig")[0]), "IncompleteSignature", "requires 'Signature'"),
    (
        "no SignedHeaders",
        authorization(lambda a: ", ".join(p for p in a.split(", ") if "SignedHeaders" not in p)),
        "IncompleteSignature",
        "Authorization header requires 'SignedHeaders' parameter.",
    ),
    ("no equal-sign", swapped("Signature=", "Signature"), "IncompleteSignature", "missing equal-sign"),
    ("Signature twice", authorization(lambda a: f"{a}, Signature=00"), "IncompleteSignature", "twice the same"),
    ("unknown parameter", authorization(lambda a: f"{a}, Extra=1"), "IncompleteSignature", "no meaning"),
    ("short scope", swapped("/ecr/aws4_request", "/aws4_request"), "IncompleteSignature", "exactly 5 slash"),
    ("long scope", swapped("/ecr/", "/ecr/x/"), "IncompleteSignature", "exactly 5 slash-delimited elements"),
    ("another service", swapped("/ecr/", "/sts/"), "InvalidSignature", "scoped to correct service: 'ecr'."),
    ("no region", swapped("/eu-west-1/", "//"), "InvalidSignature", "scoped to a valid region."),
    ("a bad region", swapped("/eu-west-1/", "/EU/"), "InvalidSignature", "scoped to a valid region."),
    ("another region", swapped("/eu-west-1/", "/eu-west-2/"), "InvalidSignature", DOES_NOT_MATCH),
    ("another end", swapped("/aws4_request", "/aws5_request"), "InvalidSignature", "valid terminator: 'aws4_request'"),
    ("another day", authorization(on_a_day("20150830")), "InvalidSignature", "'20150830' != '2"),
    ("another signature", swapped("Signature=", "Signature=f"), "InvalidSignature", DOES_NOT_MATCH),
    (
        "a signature in capitals",
        authorization(lambda a: a[: a.index("Signature=") + 10] + a[a.index("Signature=") + 10 :].upper() + "A"),
        "InvalidSignature",
        DOES_NOT_MATCH,
    ),
    (
        "a signature of zeros",
        authorization(lambda a: a[: a.index("Signature=") + 10] + "0" * 64),
        "InvalidSignature",
        DOES_NOT_MATCH,
    ),
    ("host not signed", swapped("=host;", "="), "InvalidSignature", "'Host' or ':authority' must be a 'SignedHeader'"),
    ("date not signed", swapped("x-amz-date;", ""), "InvalidSignature", "'x-amz-date' must be a 'SignedHeader'"),
    ("target not signed", swapped(";x-amz-target", ""), "InvalidSignature", "'x-amz-target' must be"),
    ("an added x-amz header", header("X-Amz-Meta", "1"), "InvalidSignature", "'x-amz-meta' must be a 'SignedHeader'"),
    ("a signed header gone", lambda r: changed(r, "x-amz-target", lambda _: None), "InvalidSignature", DOES_NOT_MATCH),
    ("headers out of order", swapped("host;x-amz-date", "x-amz-date;host"), "InvalidSignature", DOES_NOT_MATCH),
    ("headers twice", swapped("host;", "host;host;"), "InvalidSignature", DOES_NOT_MATCH),
    ("headers in capitals", swapped("host;", "Host;host;"), "InvalidSignature", DOES_NOT_MATCH),
    ("another host", lambda r: changed(r, "host", lambda _: "evil:4500"), "InvalidSignature", DOES_NOT_MATCH),
    ("a second host", header("Host", "evil:4500"), "InvalidSignature", DOES_NOT_MATCH),
    (
        "another target",
        lambda r: changed(r, "x-amz-target", lambda t: t.replace("Describe", "Delete")),
        "InvalidSignature",
        DOES_NOT_MATCH,
    ),
    ("another body", lambda r: replace(r, body=b'{"force":true}'), "InvalidSignature", DOES_NOT_MATCH),
    ("another method", lambda r: replace(r, method="PUT"), "InvalidSignature", DOES_NOT_MATCH),
    ("another path", lambda r: replace(r, path="/other"), "InvalidSignature", DOES_NOT_MATCH),
    ("another query", lambda r: replace(r, query="a=b"), "InvalidSignature", DOES_NOT_MATCH),
    ("no date", lambda r: changed(r, "x-amz-date", lambda _: None), "IncompleteSignature", "'X-Amz-Date' or a 'Date'"),
    ("two dates", header("X-Amz-Date", "20260506T070809Z"), "IncompleteSignature", "'x-amz-date' is given more than"),
    ("a date in words", lambda r: changed(r, "x-amz-date", lambda _: "today"), "IncompleteSignature", "Got 'today'"),
    (
        "a date that is none",
        lambda r: changed(r, "x-amz-date", lambda _: "20261345T000000Z"),
        "IncompleteSignature",
        "Date must be in ISO-8601 'basic format'. Got '20261345T000000Z'.",
    ),
    (
        "a date in extended format",
        lambda r: changed(r, "x-amz-date", lambda _: "2026-05-06T07:08:09Z"),
        "IncompleteSignature",
        "Date must be in ISO-8601 'basic format'",
    ),
    (
        "a date that was moved",
        lambda r: changed(r, "x-amz-date", lambda d: d[:-2] + ("0" if d[-2] != "0" else "1") + "Z"),
        "InvalidSignature",
        DOES_NOT_MATCH,
    ),
    (
        "two session tokens",
        lambda r: header("X-Amz-Security-Token", "b")(header("X-Amz-Security-Token", "a")(r)),
        "IncompleteSignature",
        "'x-amz-security-token' is given more than once",
    ),
    (
        "signed at both places",
        lambda r: replace(r, query="X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        "IncompleteSignature",
        "Only one auth mechanism allowed",
    ),
    ("a key id of no form", swapped(KEY_ID, "AKIA%00'\""), "UnrecognizedClient", "The security token included"),
]


@pytest.mark.parametrize(
    ("tamper", "code", "text"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED]
)
def test_a_request_that_was_tampered_with_is_refused(
    tamper: Callable[[Request], Request], code: str, text: str
) -> None:
    request = signed()
    check(request)
    with pytest.raises(EcrError) as caught:
        check(tamper(request))
    assert caught.value.code == f"{code}Exception"
    assert caught.value.status == 400
    assert text in caught.value.message


def test_the_body_is_really_hashed_where_a_hash_is_declared() -> None:
    body_hash = hashlib.sha256(b"{}").hexdigest()
    check(signed(headers={"X-Amz-Content-SHA256": body_hash}))
    for declared in (hashlib.sha256(b"").hexdigest(), "UNSIGNED-PAYLOAD", "é"):
        forged = signed(headers={"X-Amz-Content-SHA256": declared})
        with pytest.raises(EcrError, match="'x-amz-content-sha256' header does not match what was computed"):
            check(forged)


def test_nothing_of_a_signature_or_a_secret_is_in_an_error() -> None:
    request = authorization(lambda a: f"{a}, Extra=1")(signed())
    signature = next(value for name, value in request.headers if name == "Authorization").split("Signature=")[1][:64]
    with pytest.raises(EcrError) as caught:
        check(request)
    assert signature not in caught.value.message
    assert "SECRET" not in repr(caught.value)


def at(moment: datetime) -> Request:
    """A request whose date says `moment`; its signature is not right, which comes up only after the date."""
    request = changed(signed(), "x-amz-date", lambda _: moment.strftime("%Y%m%dT%H%M%SZ"))
    return authorization(on_a_day(f"{moment:%Y%m%d}"))(request)


@pytest.mark.parametrize("minutes", [-15, -1, 0, 1, 15])
def test_a_clock_may_be_fifteen_minutes_off(minutes: int) -> None:
    assert sigv4.claim(at(NOW + timedelta(minutes=minutes)), "ecr", NOW).date == "20260506"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (
            -901,
            "Signature expired: 20260506T065308Z is now earlier than 20260506T065309Z (20260506T070809Z - 15 min.)",
        ),
        (
            901,
            "Signature not yet current: 20260506T072310Z is still later than 20260506T072309Z "
            "(20260506T070809Z + 15 min.)",
        ),
    ],
)
def test_a_clock_that_is_off_by_more_is_told_by_how_much(seconds: int, text: str) -> None:
    with pytest.raises(EcrError) as caught:
        sigv4.claim(at(NOW + timedelta(seconds=seconds)), "ecr", NOW)
    assert (caught.value.code, caught.value.message) == ("InvalidSignatureException", text)


def test_the_date_header_serves_where_there_is_no_other() -> None:
    for written in (NOW.strftime("%Y%m%dT%H%M%SZ"), format_datetime(NOW, usegmt=True)):
        unsigned = Request("GET", "/", "", [("Host", "h"), ("Date", written)], b"")
        claim = sigv4.Claim(KEY_ID, "20260506", "eu-west-1", "ecr", "20260506T070809Z", ("date", "host"), "")
        empty = hashlib.sha256(b"").hexdigest()
        text = verifying.string_to_sign(claim, verifying.canonical_request(unsigned, claim.signed_headers, empty))
        value = (
            f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260506/eu-west-1/ecr/aws4_request,"
            f"SignedHeaders=date;host,Signature={verifying.signature(claim, text, SECRET)}"
        )
        check(header("Authorization", value)(unsigned), NOW)


def parameter(name: str, change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    """The same request with one parameter of its query string changed (both decoded), or left out."""

    def tamper(request: Request) -> Request:
        pairs = [(unquote(n), unquote(v)) for n, _, v in (part.partition("=") for part in request.query.split("&"))]
        assert name in dict(pairs)
        new = [(n, change(v) if n == name else v) for n, v in pairs]
        return replace(request, query=urlencode([pair for pair in new if pair[1] is not None], quote_via=quote))

    return tamper


def said(name: str, old: str, new: str) -> Callable[[Request], Request]:
    return parameter(name, lambda value: value.replace(old, new))


def more(text: str) -> Callable[[Request], Request]:
    return lambda request: replace(request, query=f"{request.query}&{text}")


PRESIGNED: list[tuple[str, Callable[[Request], Request], str, str]] = [
    *(
        (f"no {name}", parameter(name, lambda _: None), "IncompleteSignature", f"must include '{name}'.")
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    ),
    *(
        (f"empty {name}", parameter(name, lambda _: ""), "IncompleteSignature", f"must include '{name}'.")
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    ),
    *(
        (f"{name} twice", more(f"{name}=x"), "IncompleteSignature", f"'{name}' is given more than once")
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    ),
    (
        "sigv4a",
        parameter("X-Amz-Algorithm", lambda _: "AWS4-ECDSA-P256-SHA256"),
        "IncompleteSignature",
        "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
    ),
    ("another key", said("X-Amz-Credential", KEY_ID, "AKIA'"), "UnrecognizedClient", "The security token included"),
    ("short scope", said("X-Amz-Credential", "/sts/", "/"), "IncompleteSignature", "exactly 5 slash-delimited"),
    ("another service", said("X-Amz-Credential", "/sts/", "/ecr/"), "InvalidSignature", "correct service: 'sts'."),
    ("another region", said("X-Amz-Credential", "eu-west-1", "eu-west-2"), "InvalidSignature", DOES_NOT_MATCH),
    ("another day", parameter("X-Amz-Credential", on_a_day("20150830")), "InvalidSignature", "'20150830' != "),
    ("a date in words", parameter("X-Amz-Date", lambda _: "today"), "IncompleteSignature", "Got 'today'"),
    ("another signature", parameter("X-Amz-Signature", lambda _: "0" * 64), "InvalidSignature", DOES_NOT_MATCH),
    ("no signature at all", parameter("X-Amz-Signature", lambda _: "x"), "InvalidSignature", DOES_NOT_MATCH),
    ("host not signed", parameter("X-Amz-SignedHeaders", lambda _: "date"), "InvalidSignature", "must be a 'Signed"),
    ("an added header", header("X-Amz-Target", TARGET), "InvalidSignature", "'x-amz-target' must be a 'SignedHeader'"),
    ("another action", said("Action", "Caller", "Session"), "InvalidSignature", DOES_NOT_MATCH),
    ("one more parameter", more("a=b"), "InvalidSignature", DOES_NOT_MATCH),
    ("one parameter less", parameter("Version", lambda _: None), "InvalidSignature", DOES_NOT_MATCH),
    ("a longer life", parameter("X-Amz-Expires", lambda _: "604800"), "InvalidSignature", DOES_NOT_MATCH),
    ("another token", said("X-Amz-Security-Token", "token", "other"), "InvalidSignature", DOES_NOT_MATCH),
    ("no token", parameter("X-Amz-Security-Token", lambda _: None), "InvalidSignature", DOES_NOT_MATCH),
    ("a second token", header("X-Amz-Security-Token", "b"), "IncompleteSignature", "token is given more than once"),
    ("another method", lambda r: replace(r, method="POST"), "InvalidSignature", DOES_NOT_MATCH),
    ("a body", lambda r: replace(r, body=b"a=b"), "InvalidSignature", DOES_NOT_MATCH),
    ("another host", lambda r: changed(r, "host", lambda _: "evil"), "InvalidSignature", DOES_NOT_MATCH),
    ("another path", lambda r: replace(r, path="/x"), "InvalidSignature", DOES_NOT_MATCH),
]


@pytest.mark.parametrize(
    ("tamper", "code", "text"), [case[1:] for case in PRESIGNED], ids=[case[0] for case in PRESIGNED]
)
def test_a_presigned_url_that_was_tampered_with_is_refused(
    tamper: Callable[[Request], Request], code: str, text: str
) -> None:
    request = presigned(token="token")
    check(request, service="sts")
    with pytest.raises(EcrError) as caught:
        check(tamper(request), service="sts")
    assert (caught.value.code, caught.value.status) == (f"{code}Exception", 400)
    assert text in caught.value.message


def test_a_presigned_url_holds_for_fifteen_minutes_whatever_it_says() -> None:
    request = presigned()
    claim = sigv4.claim(request, "sts", datetime.now(UTC) + timedelta(minutes=14))
    sigv4.verify(request, claim, SECRET)
    with pytest.raises(EcrError, match="Signature expired"):
        sigv4.claim(request, "sts", datetime.now(UTC) + timedelta(minutes=16))


def test_only_what_tries_to_be_signed_is_signed() -> None:
    plain = Request("POST", "/", "Action=AssumeRoleWithWebIdentity", [("Host", "h")], b"")
    assert sigv4.is_unsigned(plain)
    for request in (
        signed(),
        presigned(),
        header("Authorization", "Basic eDp5")(plain),
        more("X-Amz-Signature=")(plain),
    ):
        assert not sigv4.is_unsigned(request)


def test_another_secret_or_another_service_does_not_pass() -> None:
    with pytest.raises(EcrError, match="does not match"):
        check(signed(), secret=SECRET.swapcase())
    with pytest.raises(EcrError, match="Credential should be scoped to correct service: 'sts'"):
        check(signed(), service="sts")


@given(st.text(max_size=200), st.text(max_size=40))
def test_no_authorization_header_does_worse_than_an_error_of_the_api(text: str, date: str) -> None:
    for value in (
        text,
        f"AWS4-HMAC-SHA256 {text}",
        f"AWS4-HMAC-SHA256 Credential={text}, SignedHeaders=host, Signature=0",
    ):
        request = Request("POST", "/", text, [("Host", "h"), ("Authorization", value), ("Date", date)], b"")
        with pytest.raises(EcrError):
            check(request)
