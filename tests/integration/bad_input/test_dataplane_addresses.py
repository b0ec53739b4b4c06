"""Malformed names, digests, tags, paths and methods on the data plane."""

import pytest

from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.registry import Bad, bad, check_refused

ZEROS = "0" * 64
TAGS = "GET /v2/{}/tags/list"
INVALID = (400, "NAME_INVALID")


def name(fault: str, text: str, names: str) -> object:
    """A request for the tags of the repository `text`."""
    return bad(fault, TAGS.format(text), *INVALID, names)


NAMES = [
    name("two dots", "bad/../input", "'bad/../input'"),
    name("two dots first", "../bad/input", "'../bad/input'"),
    name("two dots last", "bad/input/..", "'bad/input/..'"),
    name("many dots up", "../../../../../../etc/passwd", "etc/passwd"),
    name("one dot", "bad/./input", "'bad/./input'"),
    name("encoded dots", "bad/%2e%2e/input", "'bad/../input'"),
    name("encoded dots in upper case", "bad/%2E%2E/input", "'bad/../input'"),
    name("half encoded dots", "bad/.%2e/input", "'bad/../input'"),
    name("encoded slash", "bad%2finput", "repository name"),
    name("encoded slash in upper case", "bad%2Finput", "repository name"),
    name("encoded dots and slashes", "%2e%2e%2fbad%2finput", "repository name"),
    name("doubly encoded dots", "bad/%252e%252e/input", "repository name"),
    name("doubly encoded slash", "bad%252finput", "repository name"),
    name("triply encoded dots", "bad/%25252e%25252e/input", "repository name"),
    name("overlong utf-8 slash", "bad%c0%afinput", "repository name"),
    name("overlong utf-8 dot", "bad/%c0%ae%c0%ae/input", "repository name"),
    name("backslash", "bad\\input", "repository name"),
    name("encoded backslash", "bad%5c..%5cinput", "repository name"),
    name("NUL", "bad/input%00", "repository name"),
    name("NUL and a suffix", "bad/input%00.json", "repository name"),
    name("line feed", "bad/input%0a", "repository name"),
    name("carriage return and a header", "bad/input%0d%0aSet-Cookie:%20a=b", "repository name"),
    name("tab", "bad/in%09put", "repository name"),
    name("blank", "bad/in%20put", "'bad/in put'"),
    name("plus", "bad/in+put", "'bad/in+put'"),
    name("percent sign alone", "bad/in%put", "repository name"),
    name("percent sign at the end", "bad/input%", "repository name"),
    name("bad hexadecimal", "bad/in%zzput", "repository name"),
    name("letters beyond ascii", "bad/%c3%bcnput", "'bad/ünput'"),
    bad("raw letters beyond ascii", TAGS.format("bad/ünput"), 400, "UNSUPPORTED", "HTTP/1.1"),
    name("full-width letters", "bad/%ef%bd%89nput", "repository name"),
    name("a look-alike of a", "b%d0%b0d/input", "repository name"),
    name("right-to-left mark", "bad/input%e2%80%8f", "repository name"),
    name("dots of full width", "bad/%ef%bc%8e%ef%bc%8e/input", "repository name"),
    name("invalid utf-8", "bad/%ff%fe", "repository name"),
    name("a lone surrogate", "bad/%ed%a0%80", "repository name"),
    name("upper case", "bad/Input", "'bad/Input'"),
    name("all upper case", "BAD/INPUT", "'BAD/INPUT'"),
    name("empty segment", "bad//input", "'bad//input'"),
    name("slash first", "/bad/input", "'/bad/input'"),
    name("slash last", "bad/input/", "'bad/input/'"),
    name("only slashes", "///", "repository name"),
    name("one letter", "a", "2 to 256"),
    name("257 letters", "a" * 257, "2 to 256"),
    name("900 letters", "a" * 900, "2 to 256"),
    name("dot first", ".bad/input", "'.bad/input'"),
    name("hyphen first", "-bad/input", "'-bad/input'"),
    name("hyphen last", "bad/input-", "'bad/input-'"),
    name("underscore first", "_bad/input", "'_bad/input'"),
    name("three underscores", "bad/in___put", "'bad/in___put'"),
    name("two separators", "bad/in._put", "'bad/in._put'"),
    name("colon", "bad:80/input", "'bad:80/input'"),
    name("at sign", "bad@input", "'bad@input'"),
    name("asterisk", "bad/*", "'bad/*'"),
    name("dollar and braces", "bad/${HOME}", "'bad/${HOME}'"),
    name("quote of SQL", "bad/input'--", "bad/input'--"),
    name("markup", "bad/<script>", "'bad/<script>'"),
    name("semicolon", "bad/input;v=1", "'bad/input;v=1'"),
    name("a registry without a name", "000000000000/us-east-1", "''"),
    name("a registry and a slash", "000000000000/us-east-1/", "''"),
    name("a registry and dots", "000000000000/us-east-1/../bad/input", "'../bad/input'"),
    name("a registry twice and a slash", "000000000000/us-east-1//bad/input", "'/bad/input'"),
    bad("an account of 11 digits", TAGS.format("00000000000/us-east-1/bad/input"), 404, "NAME_UNKNOWN", "00000000000/"),
    bad("an account of 13 digits", TAGS.format("0000000000000/us-east-1/app"), 404, "NAME_UNKNOWN", "0000000000000/"),
    bad("a region that is none", TAGS.format("000000000000/mars-1/app"), 404, "NAME_UNKNOWN", "/mars-1/app"),
    bad("another registry", TAGS.format("999999999999/us-east-1/bad/input"), 403, "DENIED", "ecr:ListImages"),
    bad("another region", TAGS.format("000000000000/eu-west-1/bad/input"), 404, "NAME_UNKNOWN", "bad/input"),
    bad("no such repository", TAGS.format("bad/none"), 404, "NAME_UNKNOWN", "'bad/none'"),
]


def digest(fault: str, text: str, names: str = "is not a digest") -> object:
    return bad(fault, f"GET /v2/bad/input/blobs/{text}", 400, "DIGEST_INVALID", names)


DIGESTS = [
    digest("unknown algorithm", f"md5:{'0' * 32}", "'md5:"),
    digest("algorithm of the right length", f"sha3-256:{ZEROS}", "'sha3-256:"),
    digest("algorithm in upper case", f"SHA256:{ZEROS}", "'SHA256:"),
    digest("sha512 with the length of sha256", f"sha512:{ZEROS}", "'sha512:"),
    digest("sha256 with the length of sha512", f"sha256:{ZEROS * 2}", "'sha256:"),
    digest("two algorithms", f"sha256+b64:{ZEROS}", "'sha256+b64:"),
    digest("no algorithm", ZEROS, "sha256:"),
    digest("empty algorithm", f":{ZEROS}", "':000"),
    digest("no hexadecimal digits", "sha256:", "'sha256:'"),
    digest("63 digits", f"sha256:{'0' * 63}", "64"),
    digest("65 digits", f"sha256:{'0' * 65}", "64"),
    digest("digits in upper case", f"sha256:{'A' * 64}", "lower case"),
    digest("letters beyond f", f"sha256:{'g' * 64}", "hexadecimal"),
    digest("digits of another script", f"sha256:{'%d9%a1' * 64}", "hexadecimal"),
    digest("line feed after it", f"sha256:{ZEROS}%0a", "hexadecimal"),
    digest("line feed for a digit", f"sha256:{'0' * 63}%0a", "hexadecimal"),
    digest("NUL after it", f"sha256:{ZEROS}%00", "hexadecimal"),
    digest("blank before it", f"%20sha256:{ZEROS}", "hexadecimal"),
    digest("0x before the digits", f"sha256:0x{'0' * 62}", "hexadecimal"),
    digest("equals sign for the colon", f"sha256={ZEROS}", "hexadecimal"),
    digest("two colons", f"sha256::{'0' * 63}", "hexadecimal"),
    digest("two dots", "..", "'..'"),
    digest("two dots as digits", f"sha256:{'..%2f' * 10}", "'sha256:..%2F"),
    digest("a tag", "latest", "'latest'"),
    digest("very long", f"sha256:{'0' * 900}", "hexadecimal"),
    bad("delete by no digest", "DELETE /v2/bad/input/blobs/sha256:1", 400, "DIGEST_INVALID", "'sha256:1'"),
    bad("head by no digest", "HEAD /v2/bad/input/blobs/sha256:1", 400, "", ""),
    bad("referrers of a tag", "GET /v2/bad/input/referrers/v1", 400, "DIGEST_INVALID", "'v1'"),
    bad("referrers of no digest", "GET /v2/bad/input/referrers/sha512:0", 400, "DIGEST_INVALID", "'sha512:0'"),
    bad("delete of a layer in use", "DELETE /v2/bad/input/blobs/{layer}", 409, "DENIED", "needs the layer"),
    bad("no such layer", f"GET /v2/bad/input/blobs/sha256:{ZEROS}", 404, "BLOB_UNKNOWN", "layer not found"),
]

UNKNOWN = (404, "MANIFEST_UNKNOWN", "image not found")
TAG_INVALID = (400, "TAG_INVALID")
PUT = "PUT /v2/bad/input/manifests/"

REFERENCES = [
    bad("get a tag of two dots", "GET /v2/bad/input/manifests/..", *UNKNOWN),
    bad("get a tag of 129 letters", f"GET /v2/bad/input/manifests/{'a' * 129}", *UNKNOWN),
    bad("get a tag with NUL", "GET /v2/bad/input/manifests/v1%00", *UNKNOWN),
    bad("get a tag with a line feed", "GET /v2/bad/input/manifests/v1%0a", *UNKNOWN),
    bad("get a tag with an encoded slash", "GET /v2/bad/input/manifests/v%2f1", *UNKNOWN),
    bad("get by no digest", "GET /v2/bad/input/manifests/sha256:0", *UNKNOWN),
    bad("get by a digest of another algorithm", f"GET /v2/bad/input/manifests/md5:{'0' * 32}", *UNKNOWN),
    bad("head by no digest", "HEAD /v2/bad/input/manifests/sha256:0", 404, "", ""),
    bad("delete by no digest", "DELETE /v2/bad/input/manifests/sha256:0", *UNKNOWN),
    bad("delete a tag that is none", "DELETE /v2/bad/input/manifests/-v1", *UNKNOWN),
    bad("put a tag of 129 letters", f"{PUT}{'a' * 129}", *TAG_INVALID, "1 to 128"),
    bad("put a tag that begins with a dot", f"{PUT}.v1", *TAG_INVALID, "'.v1'"),
    bad("put a tag that begins with a hyphen", f"{PUT}-v1", *TAG_INVALID, "'-v1'"),
    bad("put a tag of two dots", f"{PUT}..", *TAG_INVALID, "'..'"),
    bad("put a tag with a plus", f"{PUT}v1+2", *TAG_INVALID, "'v1+2'"),
    bad("put a tag with a blank", f"{PUT}v%201", *TAG_INVALID, "'v 1'"),
    bad("put a tag with NUL", f"{PUT}v1%00", *TAG_INVALID, "A-Z"),
    bad("put a tag with a line feed", f"{PUT}v1%0a", *TAG_INVALID, "A-Z"),
    bad("put a tag with an encoded slash", f"{PUT}v%2f1", *TAG_INVALID, "A-Z"),
    bad("put a tag beyond ascii", f"{PUT}v%c3%bc", *TAG_INVALID, "'vü'"),
    bad("put a tag with digits of another script", f"{PUT}v%d9%a1", *TAG_INVALID, "0-9"),
    bad("put by no digest", f"{PUT}sha256:0", 400, "DIGEST_INVALID", "'sha256:0'"),
    bad("put by a digest of another algorithm", f"{PUT}md5:{'0' * 32}", 400, "DIGEST_INVALID", "'md5:"),
    bad("put by a digest in upper case", f"{PUT}sha256:{'A' * 64}", 400, "DIGEST_INVALID", "'sha256:AAA"),
]

NOTHING_HERE = (404, "UNSUPPORTED")

PATHS = [
    bad("the root", "GET /", *NOTHING_HERE, "/v2/"),
    bad("another root", "GET /index.html", *NOTHING_HERE, "/v2/"),
    bad("version 1", "GET /v1/_ping", *NOTHING_HERE, "/v2/"),
    bad("version 3", "GET /v3/", *NOTHING_HERE, "/v2/"),
    bad("version in upper case", "GET /V2/", *NOTHING_HERE, "/v2/"),
    bad("the version and more", "GET /v2x", *NOTHING_HERE, "/v2/"),
    bad("a slash too many first", "GET //v2/", *NOTHING_HERE, "/v2/"),
    bad("a catalog of a repository", "GET /v2/bad/input/_catalog", *NOTHING_HERE, "/v2/"),
    bad("only a name", "GET /v2/bad/input", *NOTHING_HERE, "/v2/"),
    bad("manifests without a reference", "GET /v2/bad/input/manifests", *NOTHING_HERE, "/v2/"),
    bad("manifests and a slash", "GET /v2/bad/input/manifests/", *NOTHING_HERE, "/v2/"),
    bad("no name", "GET /v2/manifests/v1", *NOTHING_HERE, "/v2/"),
    bad("tags of nothing", "GET /v2/tags/list", *NOTHING_HERE, "/v2/"),
    bad("tags without list", "GET /v2/bad/input/tags", *NOTHING_HERE, "/v2/"),
    bad("tags and more", "GET /v2/bad/input/tags/list/more", *NOTHING_HERE, "/v2/"),
    bad("an upload and more", "GET /v2/bad/input/blobs/uploads/1/2", *NOTHING_HERE, "/v2/"),
    bad("a download of nothing", "GET /downloads/", 403, "DENIED", "GetDownloadUrlForLayer"),
    bad("a download of garbage", "GET /downloads/garbage", 403, "DENIED", "GetDownloadUrlForLayer"),
    bad("a download of dots", "GET /downloads/..%2f..%2fetc%2fpasswd", 403, "DENIED", "GetDownloadUrlForLayer"),
    bad("a download of 9,000 letters", f"GET /downloads/{'A' * 9000}", 403, "DENIED", "GetDownloadUrlForLayer"),
    bad("a download beyond ascii", "GET /downloads/%c3%bc", 403, "DENIED", "GetDownloadUrlForLayer"),
    bad("a path of 1,100 letters", f"GET /v2/{'a' * 1100}/tags/list", 414, "NAME_INVALID", "1024"),
    bad("a path of 15,000 letters", f"GET /v2/{'a/' * 7500}tags/list", 414, "NAME_INVALID", "1024"),
    bad("dots that lead out of the API", "GET /v2/../../etc/passwd", *NOTHING_HERE, "/v2/"),
    bad("encoded dots that lead out of the API", "GET /v2/%2e%2e/%2e%2e/etc/passwd", *NOTHING_HERE, "/v2/"),
]

METHODS = [
    bad("post to a manifest", "POST /v2/bad/input/manifests/v1", 405, "UNSUPPORTED", "DELETE, GET, HEAD, PUT"),
    bad("patch of a manifest", "PATCH /v2/bad/input/manifests/v1", 405, "UNSUPPORTED", "PATCH is not one of"),
    bad("put of a blob", "PUT /v2/bad/input/blobs/{layer}", 405, "UNSUPPORTED", "DELETE, GET, HEAD"),
    bad("post to an upload", "POST /v2/bad/input/blobs/uploads/{upload}", 405, "UNSUPPORTED", "PATCH, PUT"),
    bad("get of no upload", "GET /v2/bad/input/blobs/uploads/", 405, "UNSUPPORTED", "POST"),
    bad("put of the tags", "PUT /v2/bad/input/tags/list", 405, "UNSUPPORTED", "GET"),
    bad("delete of the tags", "DELETE /v2/bad/input/tags/list", 405, "UNSUPPORTED", "GET"),
    bad("post to the referrers", f"POST /v2/bad/input/referrers/sha256:{ZEROS}", 405, "UNSUPPORTED", "GET"),
    bad("post to the base", "POST /v2/", 405, "UNSUPPORTED", "GET"),
    bad("a method of 9,000 letters", f"{'M' * 9000} /v2/", 400, "UNSUPPORTED", "HTTP/1.1"),
    bad("options", "OPTIONS /v2/", 405, "UNSUPPORTED", "OPTIONS"),
    bad("trace", "TRACE /v2/", 405, "UNSUPPORTED", "TRACE"),
    bad("a method of WebDAV", "PROPFIND /v2/bad/input/tags/list", 405, "UNSUPPORTED", "PROPFIND"),
    bad("delete of a download", "DELETE /downloads/garbage", 405, "UNSUPPORTED", "GET"),
    bad("post to readyz", "POST /readyz", *NOTHING_HERE, "/v2/"),
]

PAGES = [
    bad(
        f"{what.partition('?')[0].partition('/')[0]} with n={text}",
        f"GET /v2/bad/input/{what}n={text}",
        400,
        "PAGINATION_NUMBER_INVALID",
        "n is '",
    )
    for what in ("tags/list?", f"referrers/sha256:{ZEROS}?")
    for text in ("-1", "1.5", "1e3", "ten", "", "%00", "%2b1", "9" * 20, "0x10", "1%20", "%d9%a1", "1,2")
] + [
    bad("referrers after no digest", f"GET /v2/bad/input/referrers/sha256:{ZEROS}?last=x", 400, "DIGEST_INVALID", "'x'")
]


@pytest.mark.parametrize("row", NAMES)
async def test_a_malformed_name_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", DIGESTS)
async def test_a_malformed_digest_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", REFERENCES)
async def test_a_malformed_tag_or_digest_of_an_image_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", PATHS)
async def test_a_path_of_no_api_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", METHODS)
async def test_a_method_of_no_meaning_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", PAGES)
async def test_a_page_of_no_size_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)
