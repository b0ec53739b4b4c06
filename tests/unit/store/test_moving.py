"""A store on its way from one place to another: nothing is missing meanwhile, wherever it lies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from berth.settings import Settings
from berth.store.contract import Store, UploadLost, Written
from berth.store.filesystem import FilesystemStore
from berth.store.kinds import store_of, using_store
from berth.store.moving import MovingStore
from berth.store.s3 import S3Store
from tests.s3_servers import S3Server
from tests.unit.store.stores import blob_of, complete, content_of, put, settle, stream, upload

Pair = tuple[Store, Store]


@pytest.fixture(params=["file to s3", "s3 to file", "s3 to s3", "file to file"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, real_s3: S3Server) -> Pair:
    """The store that is left, and the one that is moved to."""
    bucket = real_s3.make_bucket()

    def make(kind: str, name: str) -> Store:
        return FilesystemStore(tmp_path / name) if kind == "file" else S3Store(real_s3.access(bucket, name))

    before, _, after = request.param.split()
    return make(before, "before"), make(after, "after")


@pytest.fixture
async def close(pair: Pair) -> AsyncIterator[None]:
    yield
    for store in pair:
        await store.close()


@pytest.mark.usefixtures("close")
async def test_what_either_has_is_there_and_what_comes_goes_to_the_one(pair: Pair) -> None:
    before, after = pair
    moving = MovingStore(after, before)
    old, new = await put(before, b"old"), await put(moving, b"new")
    assert [await store.size(new) for store in (before, after)] == [None, 3]
    for blob, content in ((old, b"old"), (new, b"new")):
        assert await content_of(moving, blob) == content
        assert await moving.size(blob) == 3
        assert await moving.locate(blob) is not None
        await moving.remove(blob)
        assert [await store.size(blob) for store in pair] == [None, None]


@pytest.mark.usefixtures("close")
async def test_an_upload_goes_on_where_it_began(pair: Pair) -> None:
    """A Berth that began to move meanwhile takes it on."""
    before, after = pair
    made, written = await upload(before, b"first ")
    moving = MovingStore(after, before)
    async with moving.claim(made) as draft:
        written = await draft.append(written, stream(b"second"))
    await complete(moving, made, written, blob_of(b"first second"))
    await settle(before)
    assert await content_of(moving, blob_of(b"first second")) == b"first second"
    assert await moving.stale_uploads(-60) == []
    with pytest.raises(UploadLost):
        await complete(moving, made, written, blob_of(b"first second"))


@pytest.mark.usefixtures("close")
async def test_an_upload_that_neither_has_is_lost(pair: Pair) -> None:
    moving = MovingStore(*pair)
    made, written = await upload(moving, b"x")
    await moving.abandon(made)
    for lost in (written, Written(7)):
        with pytest.raises(UploadLost):
            await complete(moving, made, lost, blob_of(b"x"))


async def test_the_settings_name_one_store_or_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kind(**given: str) -> type:
        return type(store_of(Settings(data=tmp_path, **given)))

    assert kind() is FilesystemStore
    assert kind(store="s3://bucket/a/b") is S3Store
    assert kind(store="s3://bucket", store_also=f"file://{tmp_path}") is MovingStore
    async with using_store(Settings(data=tmp_path)) as store:
        await store.check()
    assert (tmp_path / "store" / "uploads").is_dir()
