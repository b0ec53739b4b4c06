"""A digest is one of two algorithms, in lower case, of its own length, and what it names has been hashed so."""

import hashlib
import json

import pytest

from tests.attacks.conftest import MakeRepository
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient, sha256

CONTENT = b"the layer"
SHORT, LONG = hashlib.sha256(CONTENT).hexdigest(), hashlib.sha512(CONTENT).hexdigest()
CONFUSED = [
    f"sha512:{SHORT}",
    f"sha256:{LONG}",
    f"sha256:{LONG[:64]}0",
    f"SHA256:{SHORT}",
    f"Sha256:{SHORT}",
    f"sha256:{SHORT.upper()}",
    f"sha256:{SHORT[:-1]}",
    f"sha256:{SHORT}0",
    f"sha256:0x{SHORT[:-2]}",
    f"sha256:{SHORT[:-1]}g",
    f"sha256:{SHORT[:-1]}\u0661",
    f"sha256:\uff10{SHORT[1:]}",
    f"sha-256:{SHORT}",
    f"sha256+b64:{SHORT}",
    f"sha256.sha512:{SHORT}",
    f"sha256:sha256:{SHORT}",
    f"sha256: {SHORT}",
    f" sha256:{SHORT}",
    f"md5:{hashlib.md5(CONTENT).hexdigest()}",
    f"sha1:{hashlib.sha1(CONTENT).hexdigest()}",
    f"sha384:{hashlib.sha384(CONTENT).hexdigest()}",
    f"blake3:{SHORT}",
    f"shake_256:{SHORT}",
    f"tarsum.v1+sha256:{SHORT}",
    f"unknown:{SHORT}",
    f":{SHORT}",
    "sha256:",
    "sha512:",
]


def encoded(digest: str) -> str:
    return "".join(f"%{byte:02x}" if not chr(byte).isalnum() else chr(byte) for byte in digest.encode())


@pytest.mark.parametrize("digest", CONFUSED)
async def test_a_digest_that_is_none_names_nothing(
    client: RegistryClient, make_repository: MakeRepository, digest: str
) -> None:
    await make_repository("app")
    await client.push_blob("app", CONTENT)
    given = encoded(digest)
    for method, path in (
        ("GET", f"app/blobs/{given}"),
        ("HEAD", f"app/blobs/{given}"),
        ("DELETE", f"app/blobs/{given}"),
        ("GET", f"app/referrers/{given}"),
        ("PUT", f"app/manifests/{given}"),
        ("POST", f"app/blobs/uploads/?digest={given}"),
        ("POST", f"app/blobs/uploads/?mount={given}"),
        ("POST", f"app/blobs/uploads/?mount={given}&from=app"),
    ):
        answer = await client.send(method, path, data=CONTENT)
        assert answer.status == 400, (method, path, answer)
        assert method == "HEAD" or answer.error["code"] in {"DIGEST_INVALID", "TAG_INVALID"}
    assert (await client.send("GET", f"app/manifests/{given}")).status == 404
    upload = (await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"]
    answer = await client.send("PUT", f"app/blobs/uploads/{upload}?digest={given}", data=CONTENT)
    assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")
    assert (await client.send("HEAD", f"app/blobs/{sha256(CONTENT)}")).status == 200


@pytest.mark.parametrize("digest", CONFUSED)
async def test_a_manifest_that_names_by_such_a_digest_is_refused(
    client: RegistryClient, make_repository: MakeRepository, digest: str
) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", "v1")
    wrong = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": len(CONTENT)}
    for field in ({"layers": [wrong]}, {"config": wrong}, {"subject": wrong}):
        content = json.dumps(document | field).encode()
        answer = await client.send("PUT", "app/manifests/v2", data=content, headers={"Content-Type": OCI_MANIFEST})
        assert (answer.status, answer.error["code"]) == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (f"sha256:{LONG[:64]}", f"sha256:{SHORT}"),
        (f"sha256:{LONG[64:]}", f"sha256:{SHORT}"),
        (f"sha512:{SHORT}{SHORT}", f"sha512:{LONG}"),
        (f"sha512:{SHORT}{'0' * 64}", f"sha512:{LONG}"),
        (f"sha512:{LONG[::-1]}", f"sha512:{LONG}"),
    ],
)
async def test_bytes_are_hashed_by_the_algorithm_that_is_named(
    client: RegistryClient, make_repository: MakeRepository, said: str, right: str
) -> None:
    await make_repository("app")
    upload = (await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"]
    for chunk in (CONTENT[:4], CONTENT[4:]):
        assert (await client.send("PATCH", f"app/blobs/uploads/{upload}", data=chunk)).status == 202
    answer = await client.send("PUT", f"app/blobs/uploads/{upload}?digest={said}")
    assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")
    assert (await client.send("HEAD", f"app/blobs/{said}")).status == 404
    finished = await client.send("PUT", f"app/blobs/uploads/{upload}?digest={right}")
    assert finished.status == 201
    assert finished.headers["Docker-Content-Digest"] == right
    assert (await client.send("GET", f"app/blobs/{right}")).body == CONTENT


async def test_a_layer_has_the_name_that_it_was_pushed_by_and_no_other(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", "v1")
    assert (await client.send("POST", f"app/blobs/uploads/?digest=sha512:{LONG}", data=CONTENT)).status == 201
    assert (await client.send("HEAD", f"app/blobs/sha256:{SHORT}")).status == 404
    named = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": len(CONTENT)}
    for digest, status in ((f"sha256:{SHORT}", 400), (f"sha512:{LONG}", 201)):
        content = json.dumps(document | {"layers": [named | {"digest": digest}]}).encode()
        answer = await client.send("PUT", "app/manifests/v2", data=content, headers={"Content-Type": OCI_MANIFEST})
        assert answer.status == status, answer


async def test_a_manifest_is_hashed_by_the_algorithm_that_is_named(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    content = json.dumps(document).encode()
    short, long = hashlib.sha256(content).hexdigest(), hashlib.sha512(content).hexdigest()
    for digest, status in (
        (f"sha256:{long[:64]}", 400),
        (f"sha512:{short}{short}", 400),
        (f"sha512:{long}", 201),
        (f"sha256:{short}", 201),
    ):
        answer = await client.send(
            "PUT", f"app/manifests/{digest}", data=content, headers={"Content-Type": OCI_MANIFEST}
        )
        assert answer.status == status, answer
        pulled = await client.send("GET", f"app/manifests/{digest}")
        assert pulled.status == (200 if status == 201 else 404)
        assert status == 400 or pulled.headers["Docker-Content-Digest"] == digest
