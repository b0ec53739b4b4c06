"""Bodies, targets, methods and sizes that are none of the control plane's."""

import gzip
import json
import zlib
from typing import Any

import pytest

import controlplane.app
from controlplane.call import built
from controlplane.wire.model import service
from tests.integration.bad_input.api import INVALID, SERIALIZATION, Bad, bad, check_refused
from tests.integration.bad_input.conftest import NAME, Place
from tests.integration.bad_input.signing import PREFIX

# It is what registers the operations.
assert controlplane.app
UNKNOWN = "UnknownOperationException"
TOO_LARGE = "RequestEntityTooLargeException"
MIB = 1024 * 1024
GOOD = json.dumps({"repositoryName": NAME}).encode()


def body(fault: str, content: bytes, names: str = "JSON", code: str = SERIALIZATION) -> object:
    return bad(fault, "ListImages", content, code, names)


def packed(fault: str, content: bytes, names: str, encoding: str = "gzip") -> object:
    headers = {"Content-Encoding": encoding}
    return bad(fault, "ListImages", content, "MalformedHttpRequestException", names, headers=headers)


JSON = [
    body("text", b"repositoryName"),
    body("markup", b"<repositoryName/>"),
    body("a form", b"repositoryName=bad%2Finput"),
    body("half of it", GOOD[:-1]),
    body("something after it", GOOD + b"x"),
    body("itself after it", GOOD + GOOD),
    body("NUL after it", GOOD + b"\0"),
    body("a byte order mark", b"\xef\xbb\xbf" + GOOD),
    body("utf-16", GOOD.decode().encode("utf-16")),
    body("invalid utf-8", b'{"repositoryName":"\xff"}'),
    body("overlong utf-8", b'{"repositoryName":"\xc0\xaf"}'),
    body("a raw surrogate", b'{"repositoryName":"\xed\xa0\x80"}'),
    body("a lone surrogate", rb'{"repositoryName":"\ud800"}'),
    body("a lone surrogate in a name", rb'{"\udfff":1}'),
    body("a raw control character", b'{"repositoryName":"a\nb"}'),
    body("a bad escape", rb'{"repositoryName":"\x41"}'),
    body("single quotes", b"{'repositoryName':'bad/input'}"),
    body("no quotes", b"{repositoryName:1}"),
    body("a comma too many", b'{"repositoryName":"bad/input",}'),
    body("a comment", b"{/* */}"),
    body("NaN", b'{"maxResults":NaN}'),
    body("Infinity", b'{"maxResults":Infinity}'),
    body("a number that begins with 0", b'{"maxResults":01}'),
    body("a number with a plus", b'{"maxResults":+1}'),
    body("a number of 400 digits", b'{"maxResults":' + b"9" * 400 + b"}"),
    body("a list", b"[]", "object"),
    body("a string", b'"ListImages"', "object"),
    body("a number", b"1", "object"),
    body("true", b"true", "object"),
    body("null", b"null", "object"),
    body("100,000 lists", b"[" * 100_000),
    body("100,000 lists, closed", b"[" * 100_000 + b"]" * 100_000),
    body("100,000 objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    body("100,000 lists in a member", b'{"filter":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    body("nothing", b"", "repositoryName", INVALID),
    body("blanks", b" \r\n\t ", "repositoryName", INVALID),
    body("an empty object", b"{}", "repositoryName", INVALID),
    body("another member", b'{"repository":"bad/input"}', "repositoryName", INVALID),
    body("a member in another case", b'{"RepositoryName":"bad/input"}', "repositoryName", INVALID),
    bad("gzip", "ListImages", gzip.compress(GOOD), SERIALIZATION, "JSON"),
    packed("half of gzip", gzip.compress(GOOD)[:-3], "gzip"),
    packed("something after gzip", gzip.compress(GOOD) + b"x", "gzip"),
    packed("no gzip, though said so", GOOD, "gzip"),
    packed("nothing, said to be gzip", b"", "gzip"),
    packed("deflate, said so", zlib.compress(GOOD), "deflate", encoding="deflate"),
    packed("another encoding", GOOD, "br", encoding="br"),
    packed("two encodings", GOOD, "gzip, gzip", encoding="gzip, gzip"),
]


def target(fault: str, value: str | None, names: str, **more: Any) -> object:
    return bad(fault, "ListImages", GOOD, UNKNOWN, names, headers={"X-Amz-Target": value}, **more)


TARGETS = [
    target("none", None, "X-Amz-Target"),
    target("empty", "", "X-Amz-Target"),
    target("no operation", f"{PREFIX}.", PREFIX),
    target("no prefix", "ListImages", "'ListImages'"),
    target("only a dot", ".", "'.'"),
    target("another service", "DynamoDB_20120810.ListTables", "ListTables"),
    target("the public registry", "SpencerFrontendService.DescribeRegistries", "DescribeRegistries"),
    target("another version", "AmazonEC2ContainerRegistry_V20160101.ListImages", "V20160101"),
    target("an operation in small letters", f"{PREFIX}.listimages", "listimages"),
    target("an operation that there is not", f"{PREFIX}.DropTables", "DropTables"),
    target("an attribute of Python", f"{PREFIX}.__class__", "__class__"),
    target("dots", f"{PREFIX}.../../etc/passwd", "etc/passwd"),
    target("markup", f"{PREFIX}.<script>", "<script>"),
    target("9,000 letters", f"{PREFIX}.{'x' * 9000}", PREFIX),
]

METHODS = [
    bad(f"{method} {path}", "ListImages", GOOD, UNKNOWN, "POST", 404, method=method, target=path)
    for method, path in (
        ("GET", "/"),
        ("PUT", "/"),
        ("DELETE", "/"),
        ("PATCH", "/"),
        ("OPTIONS", "/"),
        ("POST", "/v2/"),
        ("POST", "/ecr"),
        ("POST", "/%2e%2e/%2e%2e/etc/passwd"),
        ("POST", "/index.html"),
        ("POST", "/%00"),
        ("POST", "/%0a"),
        ("POST", "/%ff"),
        ("POST", "/" + "x" * 9000),
    )
]

# The largest body of any operation, of a manifest, and of a part of a layer.
SIZES = [
    bad("a megabyte and a byte", "ListImages", b" " * (MIB + 1), TOO_LARGE, str(MIB), 413),
    bad("12 megabytes and a byte of a manifest", "PutImage", b" " * (12 * MIB + 1), TOO_LARGE, str(12 * MIB), 413),
    bad("28 megabytes and a byte of a part", "UploadLayerPart", b" " * (28 * MIB + 1), TOO_LARGE, str(28 * MIB), 413),
    bad("two megabytes for no operation", "DropTables", b" " * (2 * MIB), TOO_LARGE, str(MIB), 413),
]

# Per type of the model, values of every other type.
WRONG: dict[str, list[Any]] = {
    "string": [1, 1.5, True, [], {}, ["x"]],
    "integer": ["1", 1.5, True, [], {}, 2**31, -(2**31) - 1],
    "long": ["1", 1.5, True, [], {}, 2**63],
    "boolean": ["true", 1, 0, [], {}],
    "blob": [1, True, [], {}, "not base64", "QQ", "QQ=", "QQ==\n", "Q-_="],
    "list": ["x", 1, True, {}],
    "structure": ["x", 1, True, []],
    "map": ["x", 1, True, []],
}
# The operations that Berth has, and whatever members each of them takes.
BUILT = sorted(name for name in service("ecr").operations if built("ecr", name))
MEMBERS = [
    (operation, member)
    for operation in BUILT
    for member in getattr(service("ecr").model.operation_model(operation).input_shape, "members", ())
]


@pytest.mark.parametrize("row", JSON)
async def test_a_body_that_is_no_json_object_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", TARGETS)
async def test_a_target_that_is_none_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", METHODS)
async def test_a_path_or_method_of_no_api_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", SIZES)
async def test_a_body_that_is_too_large_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize(("operation", "member"), MEMBERS)
async def test_a_member_of_another_type_is_refused_and_named(place: Place, operation: str, member: str) -> None:
    shape = service("ecr").model.operation_model(operation).input_shape
    others = {name: sample(name, shape.members[name]) for name in shape.required_members}
    for value in WRONG[shape.members[member].type_name]:
        content = json.dumps({**others, member: value}).encode()
        await check_refused(place, Bad(operation, content, SERIALIZATION, member))


# Good values of those members that are more than just strings.
SAMPLES = {
    "uploadId": "00000000-0000-4000-8000-000000000000",
    "replicationBackfillId": "00000000-0000-4000-8000-000000000000",
    "layerDigests": ["sha256:" + "0" * 64],
}


def sample(name: str, shape: Any) -> Any:
    """A value of the right type, so that nothing but the wrong one is complained of."""
    if name in SAMPLES:
        return SAMPLES[name]
    if "enum" in shape.metadata:
        return shape.metadata["enum"][0]
    if shape.type_name == "list":
        return [sample("", shape.member)]
    if shape.type_name == "structure":
        return {name: sample(name, shape.members[name]) for name in shape.required_members}
    return {"string": "sample", "integer": 1, "long": 1, "boolean": True, "blob": "QQ=="}[shape.type_name]
