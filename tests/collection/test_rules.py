"""What is collected, and what is kept, rule by rule."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from berth import collection, images, layers, repositories
from berth.collection import Windows, blobs, deletions
from berth.errors import LayersNotFound
from berth.names import Digest, Registry, Tag
from berth.store.contract import Blob, Confirm, StoreUnavailable
from tests.collection.place import AT_ONCE, LONG, NOW, Place, image_of, index_of

CONFIG, LAYER, OTHER = b"{}", b"a layer", b"another layer"
NEEDED = {Digest.of(CONFIG), Digest.of(LAYER)}


async def test_what_an_image_needs_stays_and_is_looked_at_once(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER, tags=["v1"])
    assert not await place.collect()
    assert await place.is_whole("app", image, "v1")
    async with place.database.reading() as connection:
        for table in ("layers", "repository_layers"):
            question = text(f"SELECT count(*) FROM {table} WHERE unused_since IS NOT NULL")
            assert await connection.scalar(question) == 0


async def test_an_image_that_was_deleted_goes_when_its_window_is_over(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER)
    await place.delete("app", image)
    windows = Windows(images=LONG, layers=LONG)
    assert not await place.collect(windows)
    assert await place.deleted() == {image.digest}
    await place.age(timedelta(hours=23))
    assert not await place.collect(windows)
    assert await place.stored() == NEEDED
    await place.age(timedelta(hours=2))
    collected = await place.collect(windows)
    assert (collected.images, collected.layers, collected.blobs) == (1, 2, 2)
    assert collected.bytes == len(CONFIG) + len(LAYER)
    assert await place.stored() == await place.known() == await place.held("app") == set()


async def test_without_a_window_a_deleted_image_is_gone_with_the_next_collection(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER)
    await place.delete("app", image)
    await place.collect(Windows(images=NOW, layers=LONG))
    assert await place.stored() == await place.known() == await place.held("app") == set()


async def test_what_others_need_stays(place: Place) -> None:
    for name in ("app", "other"):
        await place.make(name)
    image = await place.push("app", CONFIG, LAYER, note="1")
    stays = await place.push("app", CONFIG, note="2")
    elsewhere = await place.push("other", LAYER)
    await place.delete("app", image)
    await place.collect()
    assert await place.held("app") == {Digest.of(CONFIG)}
    assert await place.stored() == NEEDED
    assert await place.is_whole("app", stays)
    assert await place.is_whole("other", elsewhere)
    await place.delete("other", elsewhere)
    await place.collect()
    assert await place.stored() == {Digest.of(CONFIG)}


async def test_each_registry_keeps_its_own_bytes(place: Place) -> None:
    other = Place(place.database, place.store, Registry(place.registry.account, "eu-west-1"))
    for one in (place, other):
        await one.make("app")
    image, stays = await place.push("app", CONFIG, LAYER), await other.push("app", CONFIG, LAYER)
    await place.delete("app", image)
    await place.collect()
    assert await place.stored() == set()
    assert await other.is_whole("app", stays)


async def test_a_layer_that_no_image_came_to_need_goes_after_a_while(place: Place) -> None:
    await place.make("app")
    await place.push_blob("app", LAYER)
    windows = Windows(images=NOW, layers=LONG)
    assert not await place.collect(windows)
    await place.age(timedelta(hours=25))
    await place.collect(windows)
    assert await place.held("app") == await place.stored() == set()
    with pytest.raises(LayersNotFound):
        await place.put("app", image_of(LAYER))


async def test_a_layer_that_somebody_asked_for_has_its_time_again(place: Place) -> None:
    await place.make("app")
    await place.push_blob("app", LAYER)
    await place.age(timedelta(hours=25))
    digest = Digest.of(LAYER)
    found = await layers.find_all(place.database, place.registry, "app", [digest])
    assert await layers.keep(place.database, found) == found
    assert not await place.collect(Windows(images=NOW, layers=LONG))
    await place.put("app", image_of(LAYER))


async def test_a_layer_that_went_meanwhile_is_not_kept(place: Place) -> None:
    await place.make("app")
    await place.push_blob("app", LAYER)
    await place.age(timedelta(hours=25))
    found = await layers.find_all(place.database, place.registry, "app", [Digest.of(LAYER)])
    await place.collect()
    assert await layers.keep(place.database, found) == {}


async def test_a_layer_that_was_asked_for_lately_costs_no_statement_more(place: Place) -> None:
    await place.make("app")
    await place.push("app", CONFIG)
    await place.push_blob("app", LAYER)
    found = await layers.find_all(place.database, place.registry, "app", [Digest.of(LAYER), Digest.of(CONFIG)])
    statements: list[str] = []
    place.database.count_statements(statements.append)
    assert await layers.keep(place.database, found) == found
    assert statements == []


async def test_the_layer_of_a_deleted_image_is_kept_for_who_asked_for_it(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER)
    await place.delete("app", image)
    await place.age(timedelta(hours=23))
    await layers.keep(place.database, await layers.find_all(place.database, place.registry, "app", [Digest.of(LAYER)]))
    await place.age(timedelta(hours=2))
    await place.collect(Windows(images=LONG, layers=LONG))
    assert await place.held("app") == await place.stored() == {Digest.of(LAYER)}


async def test_the_repository_goes_and_its_images_stay_for_their_window(place: Place) -> None:
    await place.make("app")
    await place.push("app", CONFIG, LAYER)
    await place.push_blob("app", OTHER)
    await repositories.remove(place.database, place.registry, "app", force=True)
    await place.collect(Windows(images=LONG, layers=NOW))
    assert await place.stored() == await place.known() == NEEDED
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_a_layer_that_was_deleted_stays_for_the_deleted_images_that_need_it(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER)
    await place.delete("app", image)
    assert await layers.unlink(place.database, await place.repository("app"), Digest.of(LAYER))
    await place.collect(Windows(images=LONG, layers=NOW))
    assert await place.stored() == NEEDED
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_the_last_tag_takes_the_image_and_all_of_it_goes(place: Place) -> None:
    await place.make("app")
    await place.push("app", CONFIG, tags=["v1"])
    await images.untag(place.database, await place.repository("app"), Tag("v1"))
    assert len(await place.deleted()) == 1
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_an_index_and_its_images_go(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, LAYER)
    index = index_of(image)
    await place.put("app", index)
    await place.delete("app", index)
    await place.collect()
    assert await place.is_whole("app", image)
    await place.delete("app", image)
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_what_is_a_layer_and_a_manifest_too_goes(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG)
    await place.push_blob("app", image.content)
    index = index_of(image)
    await place.put("app", index)
    await place.collect()
    await place.delete("app", index)
    await place.delete("app", image)
    await place.collect()
    assert await place.stored() == await place.known() == await place.held("app") == set()


async def test_bytes_of_a_push_that_died_before_its_row_go(place: Place) -> None:
    await place.make("app")
    await layers.intend(place.database, place.registry, "app", Digest.of(LAYER))
    await place.store_alone(LAYER)
    collected = await place.collect()
    assert (collected.blobs, collected.bytes) == (1, len(LAYER))
    assert await place.stored() == await place.known() == set()


async def test_bytes_that_no_row_tells_of_are_found_by_a_sweep(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG)
    await place.store_alone(LAYER)
    await place.collect()
    assert await place.stored() == NEEDED
    assert await collection.sweep(place.database, place.store) == 1
    await place.collect()
    assert await place.stored() == {Digest.of(CONFIG)}
    assert await place.is_whole("app", image)


async def test_a_push_whose_note_was_collected_makes_another(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.make("app")
    intend = layers.intend

    async def intend_and_be_collected(*arguments: object) -> None:
        await intend(*arguments)  # type: ignore[arg-type]
        await place.collect()
        assert await place.known() == set()

    monkeypatch.setattr(layers, "intend", intend_and_be_collected)
    image = await place.push("app", CONFIG)
    assert await place.is_whole("app", image)


async def test_what_cannot_be_removed_holds_nothing_up_and_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.make("app")
    for content in (LAYER, OTHER):
        await place.push_blob("app", content)
    remove = type(place.store).remove

    async def refuse(blob: Blob, confirm: Confirm) -> None:
        if blob.digest == Digest.of(LAYER):
            raise StoreUnavailable("the store answers EPERM")
        await remove(place.store, blob, confirm)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(place.store, "remove", refuse)
        assert (await place.collect()).blobs == 1
        with pytest.raises(StoreUnavailable):
            await place.collect()
    assert await place.stored() == await place.known() == {Digest.of(LAYER)}
    await place.collect()
    assert await place.stored() == await place.known() == set()


async def test_many_collect_at_once(place: Place) -> None:
    """Each blob goes once. One that another collection held for a moment is left: to the next collection."""
    await place.make("app")
    for number in range(3 * blobs.AT_ONCE):
        await place.push_blob("app", b"%d" % number)
    done = [*await asyncio.gather(*(place.collect() for _ in range(4))), await place.collect()]
    assert sum(one.layers for one in done) == sum(one.blobs for one in done) == 3 * blobs.AT_ONCE
    assert await place.stored() == await place.known() == set()


async def test_a_cancelled_collection_comes_to_the_end_of_what_it_began(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever pushes the same bytes meanwhile need not wait for it, where the store has locks of its own."""
    await place.make("app")
    await place.push_blob("app", LAYER)
    begun, go_on = asyncio.Event(), asyncio.Event()
    remove = type(place.store).remove

    async def slowly(blob: Blob, confirm: Confirm) -> None:
        begun.set()
        await go_on.wait()
        await remove(place.store, blob, confirm)  # type: ignore[arg-type]

    monkeypatch.setattr(place.store, "remove", slowly)
    collecting = asyncio.create_task(place.collect())
    await begun.wait()
    collecting.cancel()
    image = await place.push("app", LAYER)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    assert await place.is_whole("app", image)


async def test_collection_takes_no_longer_than_it_may(place: Place) -> None:
    await place.make("app")
    await place.push_blob("app", LAYER)
    assert not await collection.collect(place.database, place.store, AT_ONCE, at_most=0)
    assert await place.collect()


async def test_more_than_one_batch_of_deleted_images_goes(place: Place) -> None:
    await place.make("app")
    for number in range(deletions.AT_ONCE + 1):
        await place.push("app", CONFIG, note=str(number))
    await repositories.remove(place.database, place.registry, "app", force=True)
    assert (await place.collect()).images == deletions.AT_ONCE + 1
    assert await place.stored() == await place.known() == set()


async def test_the_disk_is_as_it_was_when_everything_is_deleted(place: Place, tmp_path: Path) -> None:
    await place.make("app")
    stays = await place.push("app", os.urandom(100_000), tags=["stays"])
    await place.make("big")
    before = _disk(tmp_path)
    for number in range(300):
        await place.push("big", os.urandom(20_000), os.urandom(50), note=str(number))
    assert _disk(tmp_path) > 10 * before
    await repositories.remove(place.database, place.registry, "big", force=True)
    await place.collect()
    assert abs(_disk(tmp_path) - before) <= before / 100
    assert await place.is_whole("app", stays, "stays")


def _disk(folder: Path) -> int:
    """What the folder takes on the disk, in bytes: its files and the folders in it."""
    return sum(one.stat().st_blocks * 512 for one in folder.rglob("*"))
