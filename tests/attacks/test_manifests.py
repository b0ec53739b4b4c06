"""Manifests deeper, longer and larger than any client's: each is stored whole or refused, and others are served."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from berth.images.manifests import MAX_BYTES
from tests.attacks.conftest import MakeRepository
from tests.integration.dataplane.conftest import OCI_INDEX, OCI_MANIFEST, Answer, RegistryClient, sha256

CONFIG = b'{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%b","size":2}'


def manifest(config: str, more: bytes) -> bytes:
    return b'{"schemaVersion":2,"config":' + CONFIG % config.encode() + b',"layers":[]' + more + b"}"


def deep(opening: bytes, closing: bytes, size: int = MAX_BYTES) -> Callable[[str], bytes]:
    def make(config: str) -> bytes:
        levels = (size - len(manifest(config, b',"x":1'))) // (len(opening) + len(closing))
        return manifest(config, b',"x":' + opening * levels + b"1" + closing * levels)

    return make


HOSTILE: dict[str, tuple[Callable[[str], bytes], set[int]]] = {
    "lists in lists": (deep(b"[", b"]"), {400}),
    "objects in objects": (deep(b'{"a":', b"}"), {400}),
    "10,000 lists in lists": (deep(b"[", b"]", 20_000), {400}),
    "lists that never end": (lambda config: manifest(config, b',"x":' + b"[" * 4_000_000), {400}),
    "objects that never end": (lambda config: manifest(config, b',"x":' + b'{"a":' * 800_000), {400}),
    "a list of a million numbers": (lambda config: manifest(config, b',"x":[' + b"1," * 1_000_000 + b"1]"), {201}),
    "300,000 fields": (
        lambda config: manifest(config, b"".join(b',"%d":0' % number for number in range(300_000))),
        {201},
    ),
    "a field twice among 300,000": (
        lambda config: manifest(config, b"".join(b',"%d":0' % (number % 299_999) for number in range(300_000))),
        {400},
    ),
    "a number of 4,000,000 digits": (lambda config: manifest(config, b',"x":' + b"9" * 4_000_000), {400}),
    "a fraction of 4,000,000 digits": (lambda config: manifest(config, b',"x":0.' + b"9" * 4_000_000), {201, 400}),
    "an exponent of 1,000,000": (lambda config: manifest(config, b',"x":1e1000000'), {201, 400}),
    "a string of 4,000,000 escapes": (lambda config: manifest(config, b',"x":"' + b"\\u0000" * 600_000 + b'"'), {201}),
    "half a surrogate": (lambda config: manifest(config, b',"x":"\\ud800"'), {201, 400}),
    "40,000 annotations": (
        lambda config: manifest(
            config, b',"annotations":{' + b",".join(b'"a%d":"b"' % number for number in range(40_000)) + b"}"
        ),
        {201, 400},
    ),
    "a subject of itself": (lambda config: manifest(config, b',"subject":{"subject":{}}'), {400}),
    "20,000 layers that are not there": (
        lambda config: manifest(config, b"").replace(
            b'"layers":[]',
            b'"layers":['
            + b",".join(b'{"mediaType":"a/b","size":1,"digest":"sha256:%064x"}' % number for number in range(20_000))
            + b"]",
        ),
        {400},
    ),
    "one layer 20,000 times": (
        lambda config: manifest(config, b"").replace(
            b'"layers":[]', b'"layers":[' + b",".join([CONFIG % config.encode()] * 20_000) + b"]"
        ),
        {201},
    ),
    "sizes beyond 64 bits": (
        lambda config: manifest(config, b"").replace(b'"size":2', b'"size":9223372036854775808'),
        {400},
    ),
}


async def put(client: RegistryClient, content: bytes, media_type: str = OCI_MANIFEST) -> Answer:
    return await client.send(
        "PUT", f"app/manifests/{sha256(content)}", data=content, headers={"Content-Type": media_type}
    )


@pytest.mark.timeout(120)  # What takes longer than a line would take hours.
@pytest.mark.parametrize("attack", HOSTILE)
async def test_a_hostile_manifest_is_stored_whole_or_refused(
    client: RegistryClient, make_repository: MakeRepository, attack: str
) -> None:
    await make_repository("app")
    make, statuses = HOSTILE[attack]
    content = make(await client.push_blob("app", b"{}"))
    assert len(content) <= MAX_BYTES
    putting = asyncio.create_task(put(client, content))
    # Others are served meanwhile.
    for _ in range(3):
        assert (await client.send("GET", "app/tags/list")).status == 200
    answer = await putting
    assert answer.status in statuses, answer
    stored = await client.send("GET", f"app/manifests/{sha256(content)}")
    if answer.status == 201:
        assert stored.body == content
    else:
        assert len(answer.body) < 8192
        assert stored.status == 404


@pytest.mark.parametrize("over", [0, 1])
async def test_4_mib_is_the_limit(client: RegistryClient, make_repository: MakeRepository, over: int) -> None:
    await make_repository("app")
    content = manifest(await client.push_blob("app", b"{}"), b"")
    content += b" " * (MAX_BYTES - len(content) + over)
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        answer = await client.send(
            "PUT",
            f"app/manifests/{sha256(content)}",
            data=_chunks(content) if headers else content,
            headers={"Content-Type": OCI_MANIFEST},
        )
        assert answer.status == (413 if over else 201)
        assert not over or answer.error["code"] == "MANIFEST_INVALID"


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


async def test_indexes_of_indexes_are_not_walked(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    digest, _ = await client.push_image("app", None)
    media_type, digests = OCI_MANIFEST, []
    for _ in range(100):
        # Each names the one below it many times: whoever walked them would never come to an end.
        below = {"mediaType": media_type, "digest": digest, "size": 1}
        content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [below] * 20}).encode()
        assert (await put(client, content, OCI_INDEX)).status == 201
        digest, media_type = sha256(content), OCI_INDEX
        digests.append(digest)
    assert (await client.send("GET", f"app/manifests/{digest}")).status == 200
    assert (await client.send("DELETE", f"app/manifests/{digests[0]}")).status == 409
    for above in reversed(digests):
        assert (await client.send("DELETE", f"app/manifests/{above}")).status == 202


async def test_an_index_cannot_name_itself_or_what_comes_after_it(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("app")
    later = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    first = {"mediaType": OCI_INDEX, "digest": sha256(later), "size": len(later)}
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [first]}).encode()
    answer = await put(client, content, OCI_INDEX)
    assert (answer.status, answer.error["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
