"""Calls of the control plane that nobody signed, or not so."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.integration.bad_input.api import check_answer
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.signing import PREFIX, signed
from tests.integration.bad_input.wire import exchange, request

Headers = dict[str, str | None]

MISSING = "MissingAuthenticationTokenException"
INCOMPLETE = "IncompleteSignatureException"
INVALID = "InvalidSignatureException"
UNKNOWN = "UnrecognizedClientException"
MATCH = "does not match the signature you provided"


def hours(number: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=number)


# How the call is signed, the code, and what the message names.
SIGNED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another secret": ({"secret": "x" * 40}, INVALID, MATCH),
    "an empty secret": ({"secret": " "}, INVALID, MATCH),
    "an access key that there is not": ({"key_id": "AKIA0000000000000000"}, UNKNOWN, "invalid"),
    "an access key of markup": ({"key_id": "<script>"}, UNKNOWN, "invalid"),
    "an access key of 900 letters": ({"key_id": "A" * 900}, UNKNOWN, "invalid"),
    "an access key with a quote": ({"key_id": "AKIA'OR'1'='1"}, UNKNOWN, "invalid"),
    "another service": ({"service": "s3"}, INVALID, "correct service: 'ecr'"),
    "the service STS": ({"service": "sts"}, INVALID, "correct service: 'ecr'"),
    "a service in upper case": ({"service": "ECR"}, INVALID, "correct service: 'ecr'"),
    "a region that is none": ({"region": "nowhere"}, INVALID, "valid region"),
    "a region with dots": ({"region": ".."}, INVALID, "valid region"),
    "a region in upper case": ({"region": "US-EAST-1"}, INVALID, "valid region"),
    "a region of 900 letters": ({"region": "a" * 900}, INVALID, "valid region"),
    "an hour ago": ({"moment": hours(-1)}, INVALID, "Signature expired"),
    "a year ago": ({"moment": hours(-365 * 24)}, INVALID, "Signature expired"),
    "in 1970": ({"moment": datetime.fromtimestamp(0, UTC)}, INVALID, "Signature expired"),
    "in an hour": ({"moment": hours(1)}, INVALID, "not yet current"),
    "in a year": ({"moment": hours(365 * 24)}, INVALID, "not yet current"),
    "in 9999": ({"moment": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)}, INVALID, "not yet current"),
    "another method": ({"method": "GET"}, INVALID, MATCH),
    "another path": ({"target": "/x"}, INVALID, MATCH),
    "the hash of another body": (
        {"headers": {"X-Amz-Content-SHA256": "0" * 64}},
        INVALID,
        "'x-amz-content-sha256' header does not match",
    ),
    "another query": ({"target": "/?x=1"}, INVALID, MATCH),
}


def change(pattern: str, replacement: str) -> Callable[[Headers], Headers]:
    """The Authorization header with `pattern` replaced once."""

    def changed(headers: Headers) -> Headers:
        text, number = re.subn(pattern, replacement, headers["Authorization"] or "", count=1)
        assert number, "the row spoils nothing"
        return {**headers, "Authorization": text}

    return changed


def given(**fields: str | None) -> Callable[[Headers], Headers]:
    """The headers with these ones, `_` for each hyphen of a name; None takes one away."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda headers: {**headers, **named}


def a_second_later(headers: Headers) -> Headers:
    moment = datetime.fromisoformat(headers["X-Amz-Date"] or "") + timedelta(seconds=1)
    # Not into another day: that would be the fault of the scope.
    moment -= timedelta(seconds=2) if (moment.hour, moment.minute, moment.second) == (0, 0, 0) else timedelta()
    return {"X-Amz-Date": moment.strftime("%Y%m%dT%H%M%SZ")}


FLIPPED = "".join("f" if digit == "0" else "0" for digit in "0" * 64)

# What is done to the headers of a call that was signed well, the code, and what the message names.
CHANGED: dict[str, tuple[Callable[[Headers], Headers], str, str]] = {
    "no signature at all": (given(Authorization=None), MISSING, "Missing"),
    "an empty header": (given(Authorization=""), MISSING, "Missing"),
    "a password for the registry": (given(Authorization=aiohttp.encode_basic_auth("AWS", "x")), MISSING, "Missing"),
    "a bearer's token": (given(Authorization="Bearer x"), MISSING, "Missing"),
    "version 2": (given(Authorization="AWS AKIA:signature"), MISSING, "Missing"),
    "garbage": (given(Authorization="~" * 9000), MISSING, "Missing"),
    "another algorithm": (change("SHA256", "SHA1"), INCOMPLETE, "algorithm"),
    "the asymmetric algorithm": (change("HMAC", "ECDSA-P256"), INCOMPLETE, "algorithm"),
    "an algorithm in small letters": (change("HMAC-SHA256", "hmac-sha256"), INCOMPLETE, "algorithm"),
    "only the algorithm": (given(Authorization="AWS4-HMAC-SHA256"), INCOMPLETE, "'Credential'"),
    "no credential": (change("Credential=[^,]*, ?", ""), INCOMPLETE, "'Credential'"),
    "an empty credential": (change("Credential=[^,]*", "Credential="), INCOMPLETE, "'Credential'"),
    "no signed headers": (change("SignedHeaders=[^,]*, ?", ""), INCOMPLETE, "'SignedHeaders'"),
    "no signature": (change(", ?Signature=.*", ""), INCOMPLETE, "'Signature'"),
    "an empty signature": (change("Signature=.*", "Signature="), INCOMPLETE, "'Signature'"),
    "a parameter of no meaning": (change("$", ", Foo=bar"), INCOMPLETE, "parameter"),
    "a signature twice": (change("$", f", Signature={FLIPPED}"), INCOMPLETE, "twice"),
    "a parameter without a value": (change("$", ", Foo"), INCOMPLETE, "equal-sign"),
    "another signature": (change("Signature=.*", f"Signature={FLIPPED}"), INVALID, MATCH),
    "a signature of zeros": (change("Signature=.*", f"Signature={'0' * 64}"), INVALID, MATCH),
    "a signature cut off": (change("(Signature=.{60}).*", r"\1"), INVALID, MATCH),
    "a signature and more": (change("$", "00"), INVALID, MATCH),
    "a signature that is not hexadecimal": (change("Signature=.*", f"Signature={'z' * 64}"), INVALID, MATCH),
    "a signature of 8,000 digits": (change("Signature=.*", f"Signature={'0' * 8000}"), INVALID, MATCH),
    "a scope of four parts": (change("/aws4_request", ""), INCOMPLETE, "5 slash-delimited"),
    "a scope of six parts": (change("/aws4_request", "/x/aws4_request"), INCOMPLETE, "5 slash-delimited"),
    "a scope of nothing": (change("Credential=[^,]*", "Credential=////"), INVALID, "valid region"),
    "another terminator": (change("aws4_request", "aws5_request"), INVALID, "valid terminator"),
    "a date in the scope that is another": (change(r"/\d{8}/", "/20200101/"), INVALID, "Date in Credential scope"),
    "a date in the scope that is none": (change(r"/\d{8}/", "/today/"), INVALID, "Date in Credential scope"),
    "another region in the scope": (change("us-east-1", "eu-west-1"), INVALID, MATCH),
    "no date": (given(X_Amz_Date=None), INCOMPLETE, "X-Amz-Date"),
    "an empty date": (given(X_Amz_Date=""), INCOMPLETE, "ISO-8601"),
    "a date in words": (given(X_Amz_Date="today"), INCOMPLETE, "'today'"),
    "a date with hyphens": (given(X_Amz_Date="2026-01-01T00:00:00Z"), INCOMPLETE, "basic format"),
    "a date without a time": (given(X_Amz_Date="20260101"), INCOMPLETE, "basic format"),
    "the 31st of February": (given(X_Amz_Date="20260231T000000Z"), INCOMPLETE, "basic format"),
    "the 25th hour": (given(X_Amz_Date="20260101T250000Z"), INCOMPLETE, "basic format"),
    "a date of 9,000 digits": (given(X_Amz_Date="2" * 9000), INCOMPLETE, "basic format"),
    "a date in digits of another script": (given(X_Amz_Date="٢٠٢٦٠١٠١T٠٠٠٠٠٠Z"), INCOMPLETE, "basic format"),
    "another moment": (lambda headers: {**headers, **a_second_later(headers)}, INVALID, MATCH),
    "no host among the signed": (change("host;", ""), INVALID, "'Host'"),
    "no target among the signed": (change(";x-amz-target", ""), INVALID, "'x-amz-target'"),
    "signed headers out of order": (change("content-type;host", "host;content-type"), INVALID, MATCH),
    "signed headers in upper case": (change("host;", "Host;"), INVALID, MATCH),
    "a signed header twice": (change("host;", "host;host;"), INVALID, MATCH),
    "a signed header that is not there": (change("host;", "host;x-none;"), INVALID, MATCH),
    "an x-amz header that is not signed": (given(X_Amz_Meta="x"), INVALID, "'x-amz-meta'"),
    "another target than the signed one": (given(X_Amz_Target=f"{PREFIX}.DeleteRepository"), INVALID, MATCH),
    "another content type than the signed one": (given(Content_Type="application/json"), INVALID, MATCH),
    "another host than the signed one": (given(Host="example.com"), INVALID, MATCH),
    "a session token of nobody": (given(X_Amz_Security_Token="x"), UNKNOWN, "security token"),
    "the hash of another body": (given(X_Amz_Content_SHA256="0" * 64), INVALID, "'x-amz-content-sha256'"),
}

# Header lines that are there twice, of which a proxy might see the one and Berth the other.
TWICE = {
    "Authorization": (INCOMPLETE, "more than once"),
    "X-Amz-Date": (INCOMPLETE, "more than once"),
    "X-Amz-Target": (INVALID, MATCH),
    "Host": ("MalformedHttpRequestException", "'Host'"),
}


@pytest.mark.parametrize("fault", SIGNED)
async def test_a_call_signed_by_or_for_another_is_refused(place: Place, fault: str) -> None:
    how, code, names = SIGNED[fault]
    await check_refused(place, signed(place, "DescribeRepositories", b"{}", **how), code, names)


@pytest.mark.parametrize("fault", CHANGED)
async def test_a_call_changed_after_it_was_signed_is_refused(place: Place, fault: str) -> None:
    spoil, code, names = CHANGED[fault]
    await check_refused(place, spoil(signed(place, "DescribeRepositories", b"{}")), code, names)


@pytest.mark.parametrize("content", [b"", b"{} ", b'{"maxResults":1}', b"x" * 100_000], ids=lambda body: str(len(body)))
async def test_another_body_than_the_signed_one_is_refused(place: Place, content: bytes) -> None:
    await check_refused(place, signed(place, "DescribeRepositories", b"{}"), INVALID, MATCH, content)


@pytest.mark.parametrize("name", TWICE)
async def test_a_header_that_is_there_twice_is_refused(place: Place, name: str) -> None:
    headers = signed(place, "DescribeRepositories", b"{}")
    await check_refused(place, {**headers, name.lower(): headers[name]}, *TWICE[name])


@pytest.mark.parametrize("query", ["X-Amz-Signature=0", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x"])
async def test_a_signature_in_the_query_is_refused(place: Place, query: str) -> None:
    headers: Headers = {"Host": place.api_address, "X-Amz-Target": f"{PREFIX}.DescribeRepositories"}
    await check_refused(place, headers, INCOMPLETE, "AWS query-string parameters must", target=f"/?{query}")


async def check_refused(
    place: Place, headers: Headers, code: str, names: str, content: bytes = b"{}", target: str = "/"
) -> None:
    answer = await exchange(place.api_address, request("POST", target, headers, content))
    check_answer(place, headers, answer, answer.status, code, names)
    assert answer.status in {400, 403}
