"""Processes that write the same bytes at the same time."""

import asyncio
import concurrent.futures
import multiprocessing
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from berth.names import Digest, Registry
from berth.store.contract import Blob, Written
from berth.store.filesystem import FilesystemStore

REGISTRY = Registry("123456789012", "us-east-1")
PROCESSES = 4
TIMES = 25


def push(root: Path, content: bytes, times: int) -> None:
    """In a process of its own: upload the content, again and again."""
    asyncio.run(_push(FilesystemStore(root), content, times))


async def _push(store: FilesystemStore, content: bytes, times: int) -> None:
    blob = Blob(REGISTRY, Digest.of(content))

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    for _ in range(times):
        async with store.claim(uuid.uuid4()) as draft:
            written = await draft.append(Written(), chunks())
            await draft.prepare(written, blob)
            await draft.place(written, blob)
        # Complete for everybody from the moment that it has its name.
        assert (await store.locate(blob)).read_bytes() == content


def test_one_digest_from_many_processes_is_one_whole_blob(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(PROCESSES, context) as pool:
        for pushing in [pool.submit(push, tmp_path, content, TIMES) for _ in range(PROCESSES)]:
            pushing.result(120)
    (only,) = (tmp_path / "blobs").glob("*/*/*/*/*")
    assert only.read_bytes() == content
    assert not list((tmp_path / "uploads").iterdir())
