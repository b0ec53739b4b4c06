"""Malformed ranges, Content-Ranges, upload ids, mounts and bodies on the data plane."""

import pytest

from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.registry import UNKNOWN_UPLOAD, Bad, bad, check_refused

ZEROS = "sha256:" + "0" * 64
UPLOADS = "/v2/bad/input/blobs/uploads/"


def range_of(fault: str, text: str, names: str = "within the 2 bytes") -> object:
    return bad(fault, "GET /v2/bad/input/blobs/{layer}", 416, "RANGE_INVALID", names, {"Range": text})


RANGES = [
    range_of("negative first byte", "bytes=-1-0"),
    range_of("reversed", "bytes=1-0", "'bytes=1-0'"),
    range_of("beyond the end", "bytes=2-", "'bytes=2-'"),
    range_of("far beyond the end", f"bytes={10**18}-{10**18 + 1}"),
    range_of("of 30 digits", f"bytes={'9' * 30}-"),
    range_of("of 5,000 digits", f"bytes={'9' * 5000}-"),
    range_of("no last bytes at all", "bytes=-0", "'bytes=-0'"),
    range_of("nothing but a hyphen", "bytes=-", "'bytes=-'"),
    range_of("nothing", "bytes=", "'bytes='"),
    range_of("empty", "", "''"),
    range_of("no unit", "0-1", "'0-1'"),
    range_of("another unit", "items=0-1", "'items=0-1'"),
    range_of("two ranges", "bytes=0-0,1-1", "one range"),
    range_of("1,500 ranges", f"bytes={','.join(['0-0'] * 1500)}", "one range"),
    range_of("hexadecimal", "bytes=0x0-0x1", "'bytes=0x0-0x1'"),
    range_of("a decimal point", "bytes=0.0-1.0", "'bytes=0.0-1.0'"),
    range_of("a sign", "bytes=+0-+1", "'bytes=+0-+1'"),
    range_of("blanks", "bytes = 0 - 1", "'bytes = 0 - 1'"),
    range_of("letters", "bytes=a-b", "'bytes=a-b'"),
    range_of("NUL in percent", "bytes=0-%00", "'bytes=0-%00'"),
    range_of("digits of another script", "bytes=٠-١", "one range"),
    range_of("garbage", "~" * 9000, "one range"),
]


def content_range(
    fault: str, text: str, status: int = 416, code: str = "BLOB_UPLOAD_INVALID", names: str = "<first>-<last>"
) -> object:
    return bad(fault, f"PATCH {UPLOADS}{{upload}}", status, code, names, {"Content-Range": text}, b"abcd")


CONTENT_RANGES = [
    content_range("negative", "-4-7"),
    content_range("reversed", "7-4"),
    content_range("one number", "4"),
    content_range("nothing", "", names="''"),
    content_range("letters", "four-seven", names="'four-seven'"),
    content_range("another unit", "items 4-7", names="'items 4-7'"),
    content_range("garbage after it", "4-7x", names="'4-7x'"),
    content_range("a total of letters", "bytes 4-7/all"),
    content_range("two ranges", "4-5,6-7", names="'4-5,6-7'"),
    content_range("of 400 digits", f"{'4' * 400}-{'7' * 400}"),
    content_range("of 8,000 digits", f"0-{'7' * 8000}"),
    content_range("digits of another script", "٤-٧"),
    content_range("NUL in percent", "4-7%00", names="'4-7%00'"),
    content_range("a gap", "5-8", names="has 4 bytes"),
    content_range("bytes that are there", "0-3", names="goes on there"),
    content_range("far away", f"{10**14}-{10**14 + 3}", names="has 4 bytes"),
    content_range("longer than the body", "4-8", 400, "SIZE_INVALID", "the body has 4 bytes"),
    content_range("shorter than the body", "4-6", 400, "SIZE_INVALID", "Content-Range says 3"),
    bad(
        "a gap before the last chunk",
        f"PUT {UPLOADS}{{upload}}?digest={ZEROS}",
        416,
        "BLOB_UPLOAD_INVALID",
        "has 4 bytes",
        {"Content-Range": "5-8"},
        b"abcd",
    ),
    bad(
        "a length that is not that of the chunks",
        f"PATCH {UPLOADS}{{upload}}",
        400,
        "SIZE_INVALID",
        "Content-Range says 4",
        {"Content-Range": "4-7", "Transfer-Encoding": "chunked"},
        b"2\r\nab\r\n0\r\n\r\n",
    ),
]

CONDITIONS = [
    bad(f"If-Match of {fault}", "GET /v2/bad/input/blobs/{layer}", 412, "DENIED", "If-Match", {"If-Match": text})
    for fault, text in {
        "another digest": f'"{ZEROS}"',
        "garbage": "garbage",
        "a weak tag": 'W/"x"',
        "9,000 letters": f'"{"x" * 9000}"',
    }.items()
]

LENGTH: dict[str, str | None] = {"Content-Length": "9" * 18}
SIZES = [
    bad("a chunk of 10¹⁸ bytes", f"PATCH {UPLOADS}{{upload}}", 413, "SIZE_INVALID", "54525952000", LENGTH, b"abcd"),
    bad("a layer of 10¹⁸ bytes", f"POST {UPLOADS}?digest={ZEROS}", 413, "SIZE_INVALID", "54525952000", LENGTH, b"abcd"),
    bad(
        "a manifest of 10¹⁸ bytes", "PUT /v2/bad/input/manifests/v2", 413, "MANIFEST_INVALID", "4194304", LENGTH, b"{}"
    ),
]

UNKNOWN = (404, "BLOB_UPLOAD_UNKNOWN")

UPLOAD_IDS = [
    bad(f"{method} of {fault}", f"{method} {UPLOADS}{text}{query}", *UNKNOWN, names)
    for method, query in (("GET", ""), ("PATCH", ""), ("PUT", f"?digest={ZEROS}"), ("DELETE", ""))
    for fault, text, names in (
        ("an unknown upload", UNKNOWN_UPLOAD, UNKNOWN_UPLOAD),
        ("no UUID", "upload-1", "'upload-1'"),
        ("dots", "%2e%2e", "'..'"),
        ("dots and slashes", "..%2f..%2fblobs", "upload"),
        ("a digest", ZEROS, "sha256"),
        ("a UUID and NUL", f"{UNKNOWN_UPLOAD}%00", "upload"),
        ("900 letters", "u" * 900, "upload"),
    )
] + [
    bad("GET of a UUID in braces", f"GET {UPLOADS}%7b{UNKNOWN_UPLOAD}%7d", *UNKNOWN, "upload"),
    bad("GET of a URN", f"GET {UPLOADS}urn:uuid:{UNKNOWN_UPLOAD}", *UNKNOWN, "upload"),
    bad("GET of a UUID in 32 digits", f"GET {UPLOADS}{'0' * 32}", *UNKNOWN, "upload"),
]

INVALID = (400, "DIGEST_INVALID")

BEGUN = [
    bad("mount of nothing", f"POST {UPLOADS}?mount=&from=bad/input", *INVALID, "''"),
    bad("mount of no digest", f"POST {UPLOADS}?mount=latest&from=bad/input", *INVALID, "'latest'"),
    bad("mount of another algorithm", f"POST {UPLOADS}?mount=md5:{'0' * 32}&from=x", *INVALID, "'md5:"),
    bad("mount of dots", f"POST {UPLOADS}?mount=../../etc/passwd&from=x", *INVALID, "etc/passwd"),
    bad("mount of NUL", f"POST {UPLOADS}?mount={ZEROS}%00&from=x", *INVALID, "is not a digest"),
    bad("mount of two digests", f"POST {UPLOADS}?mount={ZEROS}&mount={ZEROS}", *INVALID, "'mount' is given 2 times"),
    bad("digest of nothing", f"POST {UPLOADS}?digest=", *INVALID, "''", body=b"x"),
    bad("digest that is none", f"POST {UPLOADS}?digest=x", *INVALID, "'x'", body=b"x"),
    bad("digest in upper case", f"POST {UPLOADS}?digest=SHA256:{'0' * 64}", *INVALID, "'SHA256:", body=b"x"),
    bad("digest with invalid utf-8", f"POST {UPLOADS}?digest=sha256:%ff", *INVALID, "is not a digest", body=b"x"),
    bad("digest of other bytes", f"POST {UPLOADS}?digest={ZEROS}", *INVALID, "digest mismatch", body=b"x"),
    bad("digest of no bytes", f"POST {UPLOADS}?digest={ZEROS}", *INVALID, "digest mismatch"),
    bad("two digests", f"POST {UPLOADS}?digest={ZEROS}&digest=x", *INVALID, "'digest' is given 2 times", body=b"x"),
    bad("a digest of 12,000 letters", f"POST {UPLOADS}?digest={'x' * 12000}", *INVALID, "'xxx", body=b"x"),
    bad("in a repository that is not there", "POST /v2/bad/none/blobs/uploads/", 404, "NAME_UNKNOWN", "'bad/none'"),
    bad(
        "a Content-Range with the whole",
        f"POST {UPLOADS}?digest={ZEROS}",
        416,
        "BLOB_UPLOAD_INVALID",
        "<first>-<last>",
        {"Content-Range": "x"},
        b"x",
    ),
    bad(
        "a Content-Range with the whole that begins later",
        f"POST {UPLOADS}?digest={ZEROS}",
        416,
        "BLOB_UPLOAD_INVALID",
        "has 0 bytes",
        {"Content-Range": "5-5"},
        b"x",
    ),
]

COMPLETED = [
    bad("no digest", f"PUT {UPLOADS}{{upload}}", *INVALID, "'digest' is missing"),
    bad("digest of nothing", f"PUT {UPLOADS}{{upload}}?digest=", *INVALID, "''"),
    bad("digest that is none", f"PUT {UPLOADS}{{upload}}?digest=sha256", *INVALID, "'sha256'"),
    bad("digest of another name", f"PUT {UPLOADS}{{upload}}?Digest={ZEROS}", *INVALID, "'digest' is missing"),
    bad("two digests", f"PUT {UPLOADS}{{upload}}?digest={ZEROS}&digest={ZEROS}", *INVALID, "'digest' is given 2 times"),
    bad("digest of other bytes", f"PUT {UPLOADS}{{upload}}?digest={ZEROS}", *INVALID, "digest mismatch"),
    bad("digest of other bytes yet", f"PUT {UPLOADS}{{upload}}?digest={ZEROS}", *INVALID, "mismatch", body=b"5678"),
    bad("sha512 of other bytes", f"PUT {UPLOADS}{{upload}}?digest=sha512:{'0' * 128}", *INVALID, "mismatch"),
]


@pytest.mark.parametrize("row", RANGES)
async def test_a_range_that_is_none_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", CONDITIONS)
async def test_a_condition_that_does_not_hold_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", SIZES)
async def test_a_body_beyond_the_limits_is_refused_before_it_comes(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", CONTENT_RANGES)
async def test_a_chunk_out_of_place_is_refused_and_changes_nothing(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", UPLOAD_IDS)
async def test_an_upload_that_is_none_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", BEGUN)
async def test_an_upload_that_begins_badly_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", COMPLETED)
async def test_an_upload_that_ends_badly_is_refused_and_kept(place: Place, row: Bad) -> None:
    await check_refused(place, row)
