"""A disk that is full, for real: a small file system of its own for the store."""

import contextlib
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

import listener
from berth.repositories import Repository
from berth.settings import Settings
from dataplane.app import make_app
from tests.absences import absent
from tests.integration.dataplane.conftest import Answer, RegistryClient, sha256

MIB = 1 << 20
ROOM = 8 * MIB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "berth-test", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        absent("only root may mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def push(client: RegistryClient, content: bytes, ways: str) -> Answer:
    """As clients do it, which leave an upload that is refused to itself."""
    path = f"app/blobs/uploads/{(await client.send('POST', 'app/blobs/uploads/')).headers['Docker-Upload-UUID']}"
    if ways == "PATCH":
        answer = await client.send("PATCH", path, data=content)
        if answer.status != 202:
            return answer
        content_of_put = b""
    else:
        content_of_put = content
    return await client.send("PUT", f"{path}?digest={sha256(content)}", data=content_of_put)


@pytest.mark.parametrize("way", ["PATCH", "PUT"])
@pytest.mark.parametrize("size", [60_000, 600_000, 3 * MIB])
async def test_what_does_not_fit_is_refused_what_was_acknowledged_stays_and_room_is_used_again(
    settings: Settings,
    client: RegistryClient,
    make_repository: Callable[..., Awaitable[Repository]],
    small_disk: Path,
    size: int,
    way: str,
) -> None:
    await make_repository("app")
    settings = settings.model_copy(update={"store": f"file://{small_disk}/store"})
    async with listener.listening(make_app, settings, "localhost:0") as address:
        there = RegistryClient(client.session, f"http://{address}", client.prefix)
        kept: list[bytes] = []
        refused: Answer | None = None
        while refused is None:
            assert len(kept) < ROOM // size + 1, "more was acknowledged than there is room"
            content = os.urandom(size)
            answer = await push(there, content, way)
            if answer.status == 201:
                kept.append(content)
            else:
                refused = answer
        assert kept
        assert (refused.status, refused.error["code"]) == (503, "UNAVAILABLE")
        assert "ENOSPC" in refused.error["message"]
        assert str(small_disk) not in refused.error["message"]
        for content in kept:
            assert (await there.send("GET", f"app/blobs/{sha256(content)}")).body == content
        assert (await there.send("DELETE", f"app/blobs/{sha256(kept[0])}")).status == 202
        # The collector does this later.
        for file in (small_disk / "store").rglob(sha256(kept[0]).removeprefix("sha256:")):
            file.unlink()
        with contextlib.suppress(FileNotFoundError):
            assert not list((small_disk / "store" / "uploads").iterdir())
        content = os.urandom(size)
        assert (await push(there, content, way)).status == 201
        assert (await there.send("GET", f"app/blobs/{sha256(content)}")).body == content
