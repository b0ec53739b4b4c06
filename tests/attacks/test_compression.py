"""On the data path nothing is ever unpacked: what is compressed is stored and sent as the bytes that it is."""

import gzip
import json
import os
import zlib
from functools import cache

import psutil
import pytest

from tests.attacks.conftest import MakeRepository
from tests.integration.bad_input.wire import exchange, request
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient, sha256

MIB = 1024 * 1024


@cache
def bomb() -> bytes:
    """512 MiB of zeros, packed twice, in a few KiB."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packing.compress(bytes(16 * MIB)) for _ in range(32)) + packing.flush()
    return gzip.compress(packed, 9)


async def test_a_bomb_is_a_layer_like_any_other(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    content = bomb()
    before = psutil.Process(os.getpid()).memory_info().rss
    for headers in ({}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip, gzip"}, {"Content-Encoding": "br"}):
        digest = sha256(content)
        answer = await client.send("POST", f"app/blobs/uploads/?digest={digest}", data=content, headers=headers)
        assert answer.status == 201, answer
        upload = (await client.send("POST", "app/blobs/uploads/")).headers["Docker-Upload-UUID"]
        path = f"app/blobs/uploads/{upload}"
        answer = await client.send("PATCH", path, data=content, headers=headers)
        assert answer.headers["Range"] == f"0-{len(content) - 1}"
        assert (await client.send("PUT", f"{path}?digest={digest}")).status == 201
        for accepted in ("gzip", "identity", "gzip;q=1.0, *;q=0"):
            pulled = await client.send("GET", f"app/blobs/{digest}", headers={"Accept-Encoding": accepted})
            assert pulled.body == content
            assert "Content-Encoding" not in pulled.headers
    assert psutil.Process(os.getpid()).memory_info().rss - before < 64 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "GZIP", "x-gzip", "nothing"])
async def test_a_manifest_that_is_packed_is_refused(
    client: RegistryClient, make_repository: MakeRepository, encoding: str
) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", None)
    content = json.dumps(document).encode()
    for packed in (gzip.compress(content), bomb(), content):
        answer = await client.send(
            "PUT",
            "app/manifests/v1",
            data=packed,
            headers={"Content-Type": OCI_MANIFEST, "Content-Encoding": encoding},
        )
        assert (answer.status, answer.error["code"]) == (415, "MANIFEST_INVALID")


async def test_a_manifest_is_sent_as_it_was_put(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    _, document = await client.push_image("app", "v1")
    pulled = await client.send("GET", "app/manifests/v1", headers={"Accept-Encoding": "gzip, br, zstd"})
    assert pulled.body == json.dumps(document).encode()
    assert "Content-Encoding" not in pulled.headers


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "deflate, chunked", "compress"])
async def test_a_packed_transfer_is_not_unpacked(
    client: RegistryClient, make_repository: MakeRepository, coding: str
) -> None:
    await make_repository("app")
    address = client.base.removeprefix("http://")
    headers: dict[str, str | None] = {
        "Host": address,
        "Authorization": client.session.headers["Authorization"],
        "Transfer-Encoding": coding,
    }
    packed = gzip.compress(b"layer")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    path = f"{client.prefix}/app/blobs/uploads/?digest={sha256(b'layer')}"
    answer = await exchange(address, request("POST", path, headers, body))
    assert 400 <= answer.status < 500
    assert (await client.send("HEAD", f"app/blobs/{sha256(b'layer')}")).status == 404
