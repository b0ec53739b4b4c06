"""Calls of STS, which speaks the Query protocol and answers in XML, that are none."""

from typing import Any

import pytest

from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.signing import signed
from tests.integration.bad_input.wire import exchange, request

FORM = "application/x-www-form-urlencoded; charset=utf-8"
GOOD = b"Action=GetCallerIdentity&Version=2011-06-15"
NO_ACTION, MALFORMED, NO_MATCH = "InvalidAction", "MalformedQueryString", "SignatureDoesNotMatch"
FORM_ENCODED = "form-encoded"

# Body, status, code, and what the message names.
BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "no action": (b"Version=2011-06-15", 400, NO_ACTION, "operation"),
    "nothing": (b"", 400, NO_ACTION, "operation"),
    "an empty action": (b"Action=&Version=2011-06-15", 400, NO_ACTION, "operation"),
    "an action that there is not": (b"Action=DropTables&Version=2011-06-15", 400, NO_ACTION, "DropTables"),
    "an action in small letters": (b"Action=getcalleridentity&Version=2011-06-15", 400, NO_ACTION, "getcalleridentity"),
    "an action of ECR": (b"Action=ListImages&Version=2011-06-15", 400, NO_ACTION, "ListImages"),
    "an action of markup": (b"Action=%3Cscript%3E&Version=2011-06-15", 400, NO_ACTION, "<script>"),
    "an action of 9,000 letters": (b"Action=" + b"x" * 9000 + b"&Version=2011-06-15", 400, NO_ACTION, "xxx"),
    "an action and NUL": (b"Action=GetCallerIdentity%00&Version=2011-06-15", 400, NO_ACTION, "GetCallerIdentity"),
    "another version": (b"Action=GetCallerIdentity&Version=1999-01-01", 400, NO_ACTION, "1999-01-01"),
    "an empty version": (b"Action=GetCallerIdentity&Version=", 400, NO_ACTION, "version"),
    "an action twice": (GOOD + b"&Action=GetSessionToken", 400, MALFORMED, "more than once"),
    "a version twice": (GOOD + b"&Version=2011-06-15", 400, MALFORMED, "more than once"),
    "2,000 parameters": (GOOD + b"".join(b"&p%d=" % n for n in range(2000)), 400, MALFORMED, FORM_ENCODED),
    "a parameter without a value": (b"Action", 400, MALFORMED, FORM_ENCODED),
    "JSON": (b"{}", 400, MALFORMED, FORM_ENCODED),
    "XML": (b"<GetCallerIdentity/>", 400, MALFORMED, FORM_ENCODED),
    "invalid utf-8 in percent": (b"Action=%ff&Version=2011-06-15", 400, MALFORMED, FORM_ENCODED),
    "raw bytes": (b"Action=\xff\xfe&Version=2011-06-15", 400, MALFORMED, FORM_ENCODED),
    "NULs": (b"\0" * 100, 400, MALFORMED, FORM_ENCODED),
    "64 KiB and a byte": (GOOD + b"&x=" + b"x" * 65536, 413, "RequestEntityTooLarge", "65536"),
    "an action that Berth has not": (b"Action=AssumeRoot&Version=2011-06-15", 400, "ValidationError", "AssumeRoot"),
    "no role": (b"Action=AssumeRole&Version=2011-06-15", 400, "ValidationError", "roleArn"),
}

# How the call is signed, or which headers are changed after that.
SIGNATURES: dict[str, tuple[dict[str, Any], dict[str, str | None], int, str, str]] = {
    "nobody's": ({}, {"Authorization": None}, 403, "MissingAuthenticationToken", "Missing"),
    "a password": ({}, {"Authorization": "Basic QVdTOng="}, 403, "MissingAuthenticationToken", "Missing"),
    "half of one": ({}, {"Authorization": "AWS4-HMAC-SHA256 x"}, 400, "IncompleteSignature", "equal-sign"),
    "another's": ({"secret": "x" * 40}, {}, 403, NO_MATCH, "signature"),
    "of a key that there is not": ({"key_id": "AKIA0000000000000000"}, {}, 403, "InvalidClientTokenId", "token"),
    "for another service": ({"service": "ecr"}, {}, 403, NO_MATCH, "'sts'"),
    "for a region that is none": ({"region": "x"}, {}, 403, NO_MATCH, "region"),
    "with a token": ({}, {"X-Amz-Security-Token": "x"}, 403, "InvalidClientTokenId", "token"),
    "of no date": ({}, {"X-Amz-Date": "today"}, 400, "IncompleteSignature", "'today'"),
    "of another path": ({"target": "/x"}, {}, 403, NO_MATCH, "signature"),
}


@pytest.mark.parametrize("fault", BODIES)
async def test_a_form_that_is_no_call_is_refused(place: Place, fault: str) -> None:
    body, *expected = BODIES[fault]
    await check_refused(place, call(place, body), body, *expected)


@pytest.mark.parametrize("fault", SIGNATURES)
async def test_a_form_that_was_signed_badly_is_refused(place: Place, fault: str) -> None:
    how, changed, *expected = SIGNATURES[fault]
    await check_refused(place, {**call(place, GOOD, **how), **changed}, GOOD, *expected)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
async def test_a_method_of_no_meaning_is_refused(place: Place, method: str) -> None:
    headers = call(place, GOOD, method=method)
    await check_refused(place, headers, GOOD, 400, NO_ACTION, "GET and POST", method=method)


@pytest.mark.parametrize("target", ["/sts", "/v2/", "/%00", "/%0a", "/index.html"])
async def test_another_path_is_refused(place: Place, target: str) -> None:
    await check_refused(place, call(place, GOOD, target=target), GOOD, 400, NO_ACTION, "the path /", target=target)


def call(place: Place, body: bytes, **how: Any) -> dict[str, str | None]:
    headers = {"Content-Type": FORM, "X-Amz-Target": None}
    return signed(place, "", body, **{"service": "sts", "headers": headers, **how})


async def check_refused(
    place: Place,
    headers: dict[str, str | None],
    body: bytes,
    status: int,
    code: str,
    names: str,
    method: str = "POST",
    target: str = "/",
) -> None:
    answer = await exchange(place.api_address, request(method, target, headers, body))
    promises.check(answer, place.password, place.key.secret)
    assert answer.status == status, answer
    told, message = promises.query_error(answer)
    assert told == code, answer
    assert names in message, message
