"""`berth collect` and `berth images`, against a database and a store of their own; and the worker's jobs."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from click.testing import CliRunner, Result
from procrastinate import JobContext
from procrastinate.jobs import Job

from berth import logs, repositories
from berth.cli.main import main
from berth.database.db import Database
from berth.names import Digest
from berth.settings import Settings, load
from berth.store.contract import StoreUnavailable
from berth.workers.collection import collect_garbage, sweep_store
from berth.workers.queue import make_queue
from berth.workers.tools import KEY, Tools
from tests.collection.place import Place

CONFIG, LAYER = b"{}", b"a layer"

Berth = Callable[..., Result]


@pytest.fixture
def _logs() -> Iterator[None]:
    """Take away what a command does to the logs of its process, for that is the tests' here."""
    root, config = logging.getLogger(), structlog.get_config()
    others = [*root.handlers]
    yield
    for handler in {*root.handlers} - {*others}:
        if type(handler).__module__ == logs.__name__:
            root.removeHandler(handler)
    logging.captureWarnings(False)
    structlog.configure(**config)


@pytest.fixture
def berth(collected_url: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _logs: None) -> Berth:
    """The command, in the test's registry."""
    monkeypatch.chdir(tmp_path)
    variables = {
        "BERTH_DATABASE_URL": collected_url,
        "BERTH_STORE": f"file://{tmp_path}/store",
        "BERTH_ACCOUNT_ID": place.registry.account,
        "COLUMNS": "400",
    }

    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(main, list(words), env=variables | more)

    return run


# The commands run event loops of their own, so these tests have none.
@pytest.fixture
def deleted(place: Place, collected_url: str) -> str:
    """The digest of an image that was deleted from `app`: the only one in the database."""
    with psycopg.connect(collected_url) as connection:
        connection.execute("TRUNCATE repositories, layers, deleted_images CASCADE")

    async def push_and_delete() -> str:
        database = Database(place.database.url)
        mine = Place(database, place.store, place.registry)
        await mine.make("app")
        image = await mine.push("app", CONFIG, LAYER, tags=["v1"])
        await mine.delete("app", image)
        await database.close()
        return image.digest

    return asyncio.run(push_and_delete())


def test_what_was_deleted_is_listed_and_restored(berth: Berth, deleted: str) -> None:
    listed = berth("images", "deleted", "app").output
    assert f"app@{deleted}  v1  9 bytes  deleted " in listed
    assert "UTC, kept until " in listed
    assert berth("images", "deleted", "other").output == ""
    done = berth("images", "restore", "app", "v1")
    assert (done.exit_code, done.output) == (0, f"app@{deleted}  v1\n")
    assert berth("images", "deleted").output == ""


def test_another_region_is_another_registry(berth: Berth, deleted: str) -> None:
    assert berth("images", "deleted", "--region", "eu-west-1").output == ""


def test_what_cannot_be_restored_is_told(berth: Berth, deleted: str) -> None:
    missing = berth("images", "restore", "app", "v2")
    assert missing.exit_code == 1
    assert "berth: [v2]: no such deleted image of app" in missing.output
    gone = berth("images", "restore", "nothing", "v1")
    assert gone.exit_code == 1
    assert "Create it first: aws ecr create-repository --repository-name nothing" in gone.output
    for words in ((), ("v1", "--all")):
        assert berth("images", "restore", "app", *words).exit_code == 2
    assert "is not a digest" in berth("images", "restore", "app", "sha256:1").output


def test_collection_says_what_it_did(berth: Berth, deleted: str, tmp_path: Path) -> None:
    kept = berth("collect")
    assert kept.exit_code == 0, kept.output
    assert "blobs removed from the store: 0, 0 bytes" in kept.output
    done = berth("collect", "--sweep", "--recovery-window", "0")
    assert done.exit_code == 0, done.output
    assert "blobs that the database did not know of: 0" in done.output
    assert "deleted images gone for good: 1" in done.output
    assert "layers that no image needed:  2" in done.output
    assert "blobs removed from the store: 2, 9 bytes" in done.output
    assert not [*(tmp_path / "store" / "blobs").rglob("*/*/*/*/*")]


def tools_of(place: Place, collected_url: str, **settings: str) -> Tools:
    given: Settings = load(database_url=collected_url, **settings)
    return Tools(given, place.database, place.store)


def context_of(tools: Tools, collected_url: str) -> JobContext:
    return JobContext(
        app=make_queue(collected_url),
        start_timestamp=0,
        job=Job(id=None, queue="default", lock=None, queueing_lock=None, task_name="collect_garbage"),
        abort_reason=lambda: None,
        additional_context={KEY: tools},
    )


async def test_the_worker_collects_every_so_many_minutes(place: Place, collected_url: str) -> None:
    await place.make("app")
    await place.push("app", CONFIG, LAYER)
    await repositories.remove(place.database, place.registry, "app", force=True)
    tools = tools_of(place, collected_url, recovery_window="0", collection_minutes="5")
    context = context_of(tools, collected_url)
    await collect_garbage(context, 4 * 60)
    assert await place.stored() != set()
    await collect_garbage(context, 5 * 60)
    assert await place.stored() == set()


async def test_a_store_that_does_not_answer_ends_the_job_and_no_more(
    place: Place, collected_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.make("app")
    await place.push_blob("app", LAYER)

    async def refuse(*_: object) -> None:
        raise StoreUnavailable("the store answers EIO")

    monkeypatch.setattr(place.store, "remove", refuse)
    tools = tools_of(place, collected_url, recovery_window="0", layer_expiry="0")
    await collect_garbage(context_of(tools, collected_url), 0)
    assert await place.stored() != set()


async def test_the_worker_sweeps_the_store(place: Place, collected_url: str) -> None:
    await place.make("app")
    image = await place.push("app", CONFIG)
    await place.store_alone(LAYER)
    await sweep_store(context_of(tools_of(place, collected_url), collected_url), 0)
    await place.collect()
    assert await place.stored() == {Digest.of(CONFIG)}
    assert await place.is_whole("app", image)


async def test_the_worker_does_not_take_the_store_of_another_database_for_garbage(
    place: Place, collected_url: str
) -> None:
    await place.make("app")
    await place.push("app", CONFIG)
    others = {await place.store_alone(content) for content in (b"of", b"another", b"database")}
    await sweep_store(context_of(tools_of(place, collected_url), collected_url), 0)
    await place.collect()
    assert await place.stored() == {Digest.of(CONFIG), *others}
