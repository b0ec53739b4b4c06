"""Deleted images come back as they were."""

import json
from typing import Any

import pytest
from sqlalchemy import delete

from berth import images, layers, repositories, schema
from berth.collection import Windows
from berth.errors import RepositoryNotFound
from berth.images import descriptions, storage_classes
from berth.images.manifests import Manifest
from berth.images.storage_classes import ImageStatus, StorageClass
from berth.names import Digest, Tag
from berth.recovery import deleted_images, restoring
from berth.recovery.choosing import CannotRestore
from berth.recovery.restoring import Restored
from tests.collection.place import LONG, NOW, Place, index_of

CONFIG, LAYER = b"{}", b"a layer"


@pytest.fixture
async def image(place: Place) -> Manifest:
    """An image with two tags, in `app`."""
    await place.make("app")
    return await place.push("app", CONFIG, LAYER, tags=["v1", "latest"])


async def restore(place: Place, *wanted: str, name: str = "app") -> list[Restored]:
    names = [Digest(one) if ":" in one else Tag(one) for one in wanted] or None
    return await restoring.restore(place.database, place.registry, name, names)


async def tags_of(place: Place, image: Manifest, name: str = "app") -> tuple[str, ...]:
    return (await described(place, image, name)).tags


async def described(place: Place, image: Manifest, name: str = "app") -> Any:
    return (await descriptions.named(place.database, place.registry, name, [image.digest]))[image.digest]


@pytest.mark.parametrize("by", ["digest", "tag", "all"])
async def test_an_image_comes_back_with_its_tags_byte_for_byte(place: Place, image: Manifest, by: str) -> None:
    before = await described(place, image)
    await place.delete("app", image)
    await place.collect(Windows(LONG, NOW))
    assert not await place.is_whole("app", image)
    back = await restore(place, *{"digest": [image.digest], "tag": ["v1"], "all": []}[by])
    assert back == [Restored(image.digest, (Tag("latest"), Tag("v1")), (), is_back=True)]
    await place.collect()
    assert await place.is_whole("app", image, "latest")
    assert await described(place, image) == before
    assert await place.deleted() == set()


async def test_an_image_comes_back_into_a_new_repository(place: Place, image: Manifest) -> None:
    await repositories.remove(place.database, place.registry, "app", force=True)
    await place.collect(Windows(LONG, NOW))
    with pytest.raises(RepositoryNotFound):
        await restore(place)
    await place.make("app")
    await restore(place)
    await place.collect()
    assert await place.is_whole("app", image, "v1")


async def test_it_comes_back_also_where_its_layers_were_deleted(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    assert await layers.unlink(place.database, await place.repository("app"), Digest.of(LAYER))
    await restore(place, image.digest)
    assert await place.is_whole("app", image)


async def test_a_tag_that_another_image_took_stays_there(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    other = await place.push("app", CONFIG, tags=["latest"])
    (back,) = await restore(place, "v1")
    assert (back.tags, back.taken) == ((Tag("v1"),), (Tag("latest"),))
    assert await tags_of(place, image) == ("v1",)
    assert await tags_of(place, other) == ("latest",)


async def test_an_immutable_tag_is_not_moved(place: Place) -> None:
    await place.make("app", "IMMUTABLE")
    image = await place.push("app", CONFIG, tags=["v1", "v2"])
    await place.delete("app", image)
    other = await place.push("app", CONFIG, note="other", tags=["v1"])
    (back,) = await restore(place, image.digest)
    assert (back.tags, back.taken) == ((Tag("v2"),), (Tag("v1"),))
    assert await tags_of(place, other) == ("v1",)


async def test_of_two_images_with_one_tag_the_last_deleted_gets_it(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    other = await place.push("app", CONFIG, tags=["v1"])
    await place.delete("app", other)
    await restore(place)
    assert await tags_of(place, other) == ("v1",)
    assert await tags_of(place, image) == ("latest",)


async def test_an_image_that_was_pushed_again_gets_its_tags_back(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    await place.push("app", CONFIG, LAYER, tags=["new"])
    (back,) = await restore(place, "v1")
    assert not back.is_back
    assert await tags_of(place, image) == ("latest", "new", "v1")
    assert await place.deleted() == set()


async def test_an_image_that_was_deleted_twice_comes_back_with_all_its_tags(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    await place.push("app", CONFIG, LAYER, tags=["v2"])
    await place.delete("app", image)
    await restore(place, image.digest)
    assert await tags_of(place, image) == ("latest", "v1", "v2")
    assert await place.deleted() == set()


async def test_the_image_of_a_last_tag_comes_back(place: Place) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG, tags=["v1"])
    await images.untag(place.database, await place.repository("app"), Tag("v1"))
    await restore(place, "v1")
    assert await place.is_whole("app", image, "v1")


async def test_an_index_brings_its_images_back(place: Place, image: Manifest) -> None:
    index = index_of(image)
    await place.put("app", index, "all")
    outer = index_of(index)
    await place.put("app", outer)
    for one in (outer, index, image):
        await place.delete("app", one)
    back = await restore(place, outer.digest)
    assert {one.digest for one in back} == {outer.digest, index.digest, image.digest}
    await place.collect()
    assert await place.is_whole("app", image, "v1")
    assert await place.is_whole("app", outer)
    assert await tags_of(place, index) == ("all",)


async def test_an_index_whose_images_are_gone_for_good_does_not_come_back(place: Place, image: Manifest) -> None:
    index = index_of(image)
    await place.put("app", index)
    await place.delete("app", index)
    await place.delete("app", image)
    async with place.database.transaction() as connection:
        await connection.execute(delete(schema.deleted_images).where(schema.deleted_images.c.digest == image.digest))
    with pytest.raises(CannotRestore, match=f"the indexes need \\[{image.digest}\\]"):
        await restore(place, index.digest)
    assert await place.deleted() == {index.digest}


async def test_what_was_never_deleted_cannot_come_back(place: Place, image: Manifest) -> None:
    for missing in ("v1", image.digest):
        with pytest.raises(CannotRestore, match="no such deleted image of app"):
            await restore(place, missing)
    assert await restore(place) == []


async def test_all_or_nothing_comes_back(place: Place, image: Manifest) -> None:
    await place.delete("app", image)
    with pytest.raises(CannotRestore):
        await restore(place, "v1", "never")
    assert not await place.is_whole("app", image)


async def test_an_archived_image_comes_back_archived(place: Place, image: Manifest) -> None:
    change = (place.database, place.registry, "app", image.digest, None)
    await storage_classes.change(*change, StorageClass.ARCHIVE)
    await repositories.remove(place.database, place.registry, "app", force=True)
    await place.collect(Windows(LONG, NOW))
    await place.make("app")
    await restore(place)
    assert (await described(place, image)).status is ImageStatus.ARCHIVED
    layer = await layers.find(place.database, place.registry, "app", Digest.of(LAYER))
    assert layer is not None
    assert layer.is_archived
    await storage_classes.change(*change, StorageClass.STANDARD)
    assert await place.is_whole("app", image)


async def test_an_active_index_does_not_come_back_over_an_archived_image(place: Place, image: Manifest) -> None:
    index = index_of(image)
    await place.put("app", index)
    await place.delete("app", index)
    await storage_classes.change(place.database, place.registry, "app", image.digest, None, StorageClass.ARCHIVE)
    with pytest.raises(CannotRestore, match="are archived"):
        await restore(place, index.digest)


async def test_deleted_images_are_listed_the_last_first(place: Place, image: Manifest) -> None:
    other = await place.push("app", CONFIG)
    await place.delete("app", image)
    await place.delete("app", other)
    listed = await deleted_images.listing(place.database, place.registry)
    assert [one.digest for one in listed] == [other.digest, image.digest]
    assert listed[1].tags == ("latest", "v1")
    assert listed[1].size == json.loads(image.content)["config"]["size"] + len(LAYER)
    assert await deleted_images.listing(place.database, place.registry, "other") == []


async def test_what_is_restored_can_be_deleted_and_restored_again(place: Place, image: Manifest) -> None:
    for _ in range(2):
        await place.delete("app", image)
        await restore(place)
    await place.collect()
    assert await place.is_whole("app", image, "v1")
    await place.delete("app", image)
    await place.collect()
    assert await place.stored() == await place.known() == set()
