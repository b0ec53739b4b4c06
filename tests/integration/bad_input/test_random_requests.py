"""Random requests to both planes: whatever is asked, the answer is well-formed and never a fault of Berth's own."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from berth import repositories, uploads
from berth.identity.credentials.access_keys import create_root
from berth.names import Digest, Registry, RepositoryName
from berth.repositories.mutability import Mutability
from berth.sealing import Seal
from controlplane.wire.model import service
from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.signing import signed
from tests.integration.bad_input.test_controlplane_json import BUILT
from tests.integration.bad_input.wire import Answer, exchange, request

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

# The same requests at every run, so that a failure is one of the change at hand.
settings.register_profile(
    "sockets",
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
sockets = settings.get_profile("sockets")

NAME = "bad/random"
OTHER_ACCOUNT = "111111111111"
LAYER = Digest.of(b"{}")
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": LAYER, "size": 2},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": LAYER, "size": 2}],
    "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": LAYER, "size": 2},
    "annotations": {"a": "b"},
}


@pytest.fixture(scope="module", autouse=True)
async def repository(place: Place) -> AsyncIterator[None]:
    """A repository that the requests may do with as they like, with a layer that their manifests may name."""
    registry = place.repository.registry
    await repositories.create(place.database, registry, RepositoryName(NAME), mutability=Mutability.of("MUTABLE"))

    async def content() -> AsyncIterator[bytes]:
        yield b"{}"

    await uploads.put(place.database, place.store, registry, NAME, LAYER, content())
    yield
    await uploads.expire(place.database, place.store, timedelta(0))
    await repositories.remove(place.database, registry, NAME, force=True)


@pytest.fixture(scope="module")
async def other_account(place: Place, seal: Seal) -> AsyncIterator[Place]:
    """The place of an account of its own, whose calls may set what they like."""
    key = await create_root(place.database, seal, OTHER_ACCOUNT)
    registry = Registry(OTHER_ACCOUNT, "us-east-1")
    made = await repositories.create(
        place.database, registry, RepositoryName(NAME), mutability=Mutability.of("MUTABLE")
    )
    yield replace(place, key=key, repository=made)
    await repositories.remove(place.database, registry, NAME, force=True)


# What is between two slashes: what means something, and what does not.
WORDS = "v2 bad random manifests blobs uploads tags list referrers latest v1 .. . %2e%2e %2f %00 %0a %ff"
SEGMENTS = st.sampled_from([*WORDS.split(), LAYER, ""]) | st.text(max_size=8).map(lambda text: quote(text, safe=""))
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"])
# What the API has, with something in its place; and any method of any path.
STEPS = """GET manifests/{}|HEAD manifests/{}|PUT manifests/{}|PUT manifests/v1|DELETE manifests/{}|GET blobs/{}
|HEAD blobs/{}|DELETE blobs/{}|POST blobs/uploads/|PATCH blobs/uploads/{}|PUT blobs/uploads/{}
|GET tags/list|GET referrers/{}"""
LINES = st.one_of(
    st.builds(
        lambda step, segment: step.strip().replace("{}", segment).replace(" ", f" /v2/{NAME}/"),
        st.sampled_from(STEPS.split("|")),
        SEGMENTS,
    ),
    st.builds(lambda method, segments: f"{method} /{'/'.join(segments)}", METHODS, st.lists(SEGMENTS, max_size=7)),
)
NUMBERS = st.integers().map(str) | st.sampled_from(["", "1e3", "0x1", "٣", str(2**63), "9" * 400])
QUERIES = st.sampled_from(["", "?", "?n={}", "?last={}", "?digest={}", f"?mount={LAYER}&from={{}}", "?artifactType={}"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=40)
RANGES = st.builds("{}{}-{}".format, st.sampled_from(["", "bytes=", "bytes "]), NUMBERS, NUMBERS)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Range": RANGES | VALUES,
        "Content-Range": RANGES | VALUES,
        "Content-Type": st.sampled_from([MANIFEST["mediaType"], "application/json", ""]) | VALUES,
        "Content-Encoding": st.sampled_from(["gzip", "identity"]) | VALUES,
        "Accept": VALUES,
        "If-Match": VALUES,
        "If-None-Match": st.sampled_from(["*", f'"{LAYER}"']) | VALUES,
        "If-Range": VALUES,
        "X-Forwarded-For": VALUES,
    },
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(LAYER),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    """A manifest in which one field, or one of those of a layer, is anything."""
    document: dict[str, Any] = json.loads(json.dumps(MANIFEST))
    place = draw(st.sampled_from([document, document["config"], document["layers"][0], document["subject"]]))
    place[draw(st.sampled_from(sorted(place)))] = draw(ANY_JSON)
    return json.dumps(document).encode()


BODIES = st.binary(max_size=200) | manifests()


@sockets
@given(line=LINES, query=QUERIES, value=NUMBERS | SEGMENTS, headers=HEADERS, body=BODIES)
async def test_no_request_to_the_registry_meets_a_fault_of_its_own(
    place: Place, line: str, query: str, value: str, headers: dict[str, str | None], body: bytes
) -> None:
    method, path = line.split(" ", 1)
    target = path + query.replace("{}", value)
    authorization = aiohttp.encode_basic_auth("AWS", place.password)
    sent = request(method, target, {"Host": "localhost", "Authorization": authorization, **headers}, body)
    check(await exchange(place.registry_address, sent, is_head=method == "HEAD"), is_head=method == "HEAD")


@sockets
@given(content=manifests())
async def test_no_manifest_meets_a_fault_of_the_registrys_own(place: Place, content: bytes) -> None:
    authorization = aiohttp.encode_basic_auth("AWS", place.password)
    sent = request("PUT", f"/v2/{NAME}/manifests/v1", {"Host": "localhost", "Authorization": authorization}, content)
    check(await exchange(place.registry_address, sent))


@sockets
@given(data=st.data())
async def test_no_bytes_meet_a_fault_of_the_registrys_own(place: Place, data: st.DataObject) -> None:
    """A good request in which some bytes are others, or gone."""
    authorization = aiohttp.encode_basic_auth("AWS", place.password)
    sent = bytearray(request("GET", f"/v2/{NAME}/tags/list?n=1", {"Host": "x", "Authorization": authorization}))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(sent) - 10))
        sent[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(await exchange(place.registry_address, bytes(sent)))


@sockets
@given(operation=st.sampled_from([name for name in BUILT if name != "DeleteRepository"]), data=st.data())
async def test_no_call_meets_a_fault_of_the_apis_own(other_account: Place, operation: str, data: st.DataObject) -> None:
    members = data.draw(valued("", service("ecr").model.operation_model(operation).input_shape))
    content = json.dumps(members).encode()
    place = other_account
    answer = await exchange(place.api_address, request("POST", "/", signed(place, operation, content), content))
    assert answer.status < 500, answer
    if answer.status >= 400:
        promises.check(answer, place.password, place.key.secret)
        promises.json_error(answer)


# Where a member of a call has a meaning, one that gets past the first check.
MEANT = {
    "repositoryName": [NAME],
    "registryId": [OTHER_ACCOUNT],
    "resourceArn": [f"arn:aws:ecr:us-east-1:{OTHER_ACCOUNT}:repository/{NAME}"],
    "imageManifest": [json.dumps(MANIFEST)],
    "imageDigest": [LAYER, "sha512:" + "0" * 128],
    "layerDigest": [LAYER],
    "uploadId": ["00000000-0000-4000-8000-000000000000"],
    "region": ["us-east-1", "eu-west-1"],
    "imageTag": ["v1", "latest"],
    "policyText": ['{"Version":"2012-10-17","Statement":[]}'],
}
TEXTS = ["", "*", "a", "ROOT", "ecr-public", "public.ecr.aws", LAYER, f"arn:aws:iam::{OTHER_ACCOUNT}:root", "ü"]


def valued(name: str, shape: Any) -> st.SearchStrategy[Any]:
    """A value of the shape, or (one time in sixteen) anything."""
    of_the_shape: st.SearchStrategy[Any]
    if shape is None:
        return st.just({})
    if shape.type_name == "structure":
        members = {inner: valued(inner, member) for inner, member in shape.members.items()}
        required = {inner: members.pop(inner) for inner in shape.required_members}
        of_the_shape = st.fixed_dictionaries(required, optional=members)
    elif shape.type_name == "list":
        of_the_shape = st.lists(valued("", shape.member), max_size=3)
    elif name in MEANT or "enum" in shape.metadata:
        of_the_shape = st.sampled_from(MEANT.get(name) or shape.metadata["enum"])
    else:
        of_the_shape = {"boolean": st.booleans(), "integer": st.integers(0, 2000), "long": st.integers(0, 9)}.get(
            shape.type_name, st.sampled_from(TEXTS) | st.text(max_size=30)
        )
    return st.integers(0, 15).flatmap(lambda chance: ANY_JSON if chance == 15 else of_the_shape)


def check(answer: Answer, *, is_head: bool = False) -> None:
    assert answer.status < 500, answer
    if answer.status >= 400:
        promises.check(answer)
        if not is_head:
            promises.oci_error(answer)
