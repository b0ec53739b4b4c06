"""A blob comes from where its store says: a file, somewhere else, or piece by piece; whole or in part."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from berth.repositories import Repository
from berth.store.contract import Blob, BlobLost, Redirect
from berth.store.filesystem import FilesystemStore
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient, sha256

Make = Callable[..., Awaitable[Repository]]
SMALL, LARGE = b"0123456789" * 10, b"0123456789" * 20_000


async def nowhere(_store: FilesystemStore, _blob: Blob) -> None:
    return None


async def elsewhere(_store: FilesystemStore, blob: Blob) -> Redirect:
    return Redirect(f"https://bucket.example/{blob.digest}?signed")


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
async def blob(request: pytest.FixtureRequest, client: RegistryClient, make_repository: Make) -> tuple[str, bytes]:
    """The path of a layer that an image needs, and its bytes."""
    await make_repository("team/app")
    content: bytes = request.param
    layers = [{"mediaType": "x/y", "digest": await client.push_blob("team/app", content), "size": len(content)}]
    config = {"mediaType": "x/y", "digest": await client.push_blob("team/app", b"{}"), "size": 2}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
    await client.push_manifest("team/app", "v1", document)
    return f"team/app/blobs/{sha256(content)}", content


@pytest.mark.parametrize("source", ["file", "pieces"])
@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        (None, 0, None),
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=90-", 90, None),
        ("bytes=90-99999999", 90, None),
        ("bytes=-10", -10, None),
        ("bytes=-99999999", 0, None),
    ],
)
async def test_any_part_of_it(
    client: RegistryClient,
    blob: tuple[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    header: str | None,
    first: int,
    last: int | None,
) -> None:
    if source == "pieces":
        monkeypatch.setattr(FilesystemStore, "locate", nowhere)
    path, content = blob
    expected = content[first:] if last is None else content[first : last + 1]
    for _ in range(2):
        answer = await client.send("GET", path, headers={"Range": header} if header else {})
        assert (answer.status, answer.body) == (206 if header else 200, expected)
        assert answer.headers["Content-Length"] == str(len(expected))
        if header:
            start = len(content) - len(expected) if first else 0
            start = first if first > 0 else start
            assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"
    head = await client.send("HEAD", path)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))


@pytest.mark.parametrize("source", ["file", "pieces"])
@pytest.mark.parametrize("header", ["bytes=200000-", "bytes=9-5", "bytes=-0", "bytes=0-1,5-6", "lines=0-1", "bytes=-"])
async def test_no_part_of_it(
    client: RegistryClient, blob: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch, source: str, header: str
) -> None:
    if source == "pieces":
        monkeypatch.setattr(FilesystemStore, "locate", nowhere)
    answer = await client.send("GET", blob[0], headers={"Range": header})
    assert (answer.status, answer.error["code"]) == (416, "RANGE_INVALID")
    assert answer.headers["Content-Range"] == f"bytes */{len(blob[1])}"


async def test_what_is_fetched_elsewhere(
    client: RegistryClient, blob: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FilesystemStore, "locate", elsewhere)
    digest = blob[0].rpartition("/")[2]
    for _ in range(2):
        answer = await client.send("GET", blob[0], allow_redirects=False)
        assert answer.status == 307
        assert answer.headers["Location"] == f"https://bucket.example/{digest}?signed"
        assert answer.headers["Docker-Content-Digest"] == digest
    assert (await client.send("HEAD", blob[0], allow_redirects=False)).status == 200


async def test_a_layer_whose_bytes_are_lost_is_said_to_be_so(
    client: RegistryClient, make_repository: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def lost(_store: FilesystemStore, _blob: Blob) -> Path:
        return tmp_path / "lost"

    async def read(_store: FilesystemStore, blob: Blob, *_: int) -> AsyncIterator[bytes]:
        raise BlobLost(blob.digest)
        yield b""

    await make_repository("team/app")
    monkeypatch.setattr(FilesystemStore, "read", read)
    for content in (SMALL, LARGE):
        digest = await client.push_blob("team/app", content)
        monkeypatch.setattr(FilesystemStore, "locate", lost)
        answer = await client.send("GET", f"team/app/blobs/{digest}")
        assert (answer.status, answer.error["code"]) == (500, "BLOB_UNKNOWN")
        monkeypatch.setattr(FilesystemStore, "locate", nowhere)
        answer = await client.send("GET", f"team/app/blobs/{digest}")
        assert (answer.status, answer.error["code"]) == (500, "BLOB_UNKNOWN")


async def test_a_disk_that_refuses_to_read_is_said_to_be_unavailable(
    client: RegistryClient, make_repository: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def folder(_store: FilesystemStore, _blob: Blob) -> Path:
        return tmp_path

    await make_repository("team/app")
    digest = await client.push_blob("team/app", LARGE)
    monkeypatch.setattr(FilesystemStore, "locate", folder)
    answer = await client.send("GET", f"team/app/blobs/{digest}")
    assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
    assert str(tmp_path) not in answer.error["message"]


@pytest.mark.parametrize("source", ["file", "pieces"])
async def test_a_layer_that_is_cut_short_is_seen_to_be_so(
    client: RegistryClient, make_repository: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    """The connection ends, so that no client takes the part for the whole."""
    short = tmp_path / "short"
    short.write_bytes(LARGE[:-1])

    async def locate(_store: FilesystemStore, _blob: Blob) -> Path | None:
        return short if source == "file" else None

    async def read(_store: FilesystemStore, _blob: Blob, *_: int) -> AsyncIterator[bytes]:
        yield LARGE[:100_000]
        yield LARGE[100_000:-1]

    await make_repository("team/app")
    digest = await client.push_blob("team/app", LARGE)
    monkeypatch.setattr(FilesystemStore, "locate", locate)
    monkeypatch.setattr(FilesystemStore, "read", read)
    async with asyncio.timeout(10):
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.send("GET", f"team/app/blobs/{digest}")
