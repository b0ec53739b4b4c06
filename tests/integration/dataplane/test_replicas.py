"""What one process changes, another one does not hand out any more.

On the same machine at once; on another one within a second, and not longer when it hears nothing.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import text

from berth import layers, repositories
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.images import storage_classes
from berth.images.manifests import OCI_INDEX
from berth.images.storage_classes import StorageClass
from berth.names import Digest, Registry
from berth.recovery import restoring
from berth.repositories import Repository
from berth.settings import Settings
from tests.berth_process import answers_ready, free_port
from tests.integration.dataplane.conftest import OCI_MANIFEST, RegistryClient

Make = Callable[..., Awaitable[Repository]]
NAME = "team/app"
# The promise.
SECONDS = 1.0


@pytest.fixture(scope="module", params=["together", "apart"])
def is_apart(request: pytest.FixtureRequest) -> bool:
    """Whether the other data plane runs as if on another machine, with no memory that both share."""
    return bool(request.param == "apart")


@pytest.fixture(scope="module")
def replica_url(settings: Settings, is_apart: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another data plane, in a process of its own; http://HOST:PORT."""
    address = f"localhost:{free_port()}"
    settings = settings.model_copy(update={"registry_listen": address, "log_level": "warning"})
    environment = {"PATH": os.environ["PATH"], **settings.environment()}
    if is_apart:
        environment["BERTH_MASTER_KEY"] = (settings.data / "master.key").read_text().strip()
        environment["BERTH_STORE"] = f"file://{(settings.data / 'store').absolute()}"
        environment["BERTH_DATA"] = str(tmp_path_factory.mktemp("apart"))
    process = subprocess.Popen([sys.executable, "-m", "dataplane"], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not answers_ready(f"http://{address}"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def replica(client: RegistryClient, replica_url: str) -> RegistryClient:
    """The same client, of the other data plane."""
    return replace(client, base=replica_url)


async def remembered(replica: RegistryClient, path: str, status: int = 200) -> None:
    """Ask for it until it is known there."""
    for _ in range(3):
        for method in ("GET", "HEAD"):
            assert (await replica.send(method, path)).status == status


async def within_a_second(replica: RegistryClient, path: str, *, status: int) -> None:
    """From now on, a second later at the most, the replica answers so, and goes on answering so."""
    deadline = time.monotonic() + SECONDS
    while (answer := await replica.send("GET", path)).status != status:
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.005)
    assert (await replica.send("HEAD", path)).status == status


@pytest.fixture
async def image(client: RegistryClient, make_repository: Make) -> tuple[str, str]:
    """The digests of an image tagged v1, and of its layer."""
    await make_repository(NAME)
    digest, document = await client.push_image(NAME, "v1")
    return digest, document["layers"][0]["digest"]


async def test_a_deleted_tag_is_gone_on_every_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str]
) -> None:
    await remembered(replica, f"{NAME}/manifests/v1")
    assert (await client.send("DELETE", f"{NAME}/manifests/v1")).status == 202
    await within_a_second(replica, f"{NAME}/manifests/v1", status=404)
    assert (await replica.send("GET", f"{NAME}/manifests/{image[0]}")).status == 200


async def test_a_deleted_image_is_gone_on_every_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str]
) -> None:
    for reference in ("v1", image[0]):
        await remembered(replica, f"{NAME}/manifests/{reference}")
    assert (await client.send("DELETE", f"{NAME}/manifests/{image[0]}")).status == 202
    for reference in ("v1", image[0]):
        await within_a_second(replica, f"{NAME}/manifests/{reference}", status=404)


async def test_a_tag_that_moved_has_moved_on_every_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str]
) -> None:
    await remembered(replica, f"{NAME}/manifests/v1")
    second, _ = await client.push_image(NAME, "v1", b"another")
    deadline = time.monotonic() + SECONDS
    while (answer := await replica.send("GET", f"{NAME}/manifests/v1")).headers["Docker-Content-Digest"] != second:
        assert time.monotonic() < deadline, answer
    assert (await replica.send("HEAD", f"{NAME}/manifests/v1")).headers["Docker-Content-Digest"] == second


async def test_an_archived_image_and_its_layers_are_handed_out_by_no_replica(
    replica: RegistryClient, image: tuple[str, str], database: Database, registry: Registry
) -> None:
    digest, layer = image
    paths = (f"{NAME}/manifests/v1", f"{NAME}/blobs/{layer}")
    for path in paths:
        await remembered(replica, path)
    await storage_classes.change(database, registry, NAME, Digest(digest), None, StorageClass.ARCHIVE)
    for path in paths:
        await within_a_second(replica, path, status=404)
    await storage_classes.change(database, registry, NAME, Digest(digest), None, StorageClass.STANDARD)
    for path in paths:
        assert (await replica.send("GET", path)).status == 200, "that something is missing is never remembered"


async def referrers(replica: RegistryClient, digest: str, query: str = "") -> set[str]:
    answer = await replica.send("GET", f"{NAME}/referrers/{digest}{query}")
    assert answer.status == 200, answer
    return {one["digest"] for one in json.loads(answer.body)["manifests"]}


async def until_referrers_are(replica: RegistryClient, digest: str, expected: set[str]) -> None:
    """From now on, a second later at the most, and on every further page and by every filter too."""
    deadline = time.monotonic() + SECONDS
    while (found := await referrers(replica, digest)) != expected:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.005)
    assert await referrers(replica, digest, "?n=1000") == expected
    assert await referrers(replica, digest, "?artifactType=application%2Fsbom") == expected


@pytest.mark.parametrize("is_index", [False, True])
async def test_a_new_referrer_is_listed_by_every_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str], is_index: bool
) -> None:
    digest, expected = image[0], set[str]()
    for number in range(3):
        await until_referrers_are(replica, digest, expected)
        fields = {
            "subject": {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1},
            "artifactType": "application/sbom",
        }
        if is_index:
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"n": str(number)}}
            expected.add(await client.push_manifest(NAME, None, index | fields, OCI_INDEX))
        else:
            expected.add((await client.push_image(NAME, None, bytes([number]), **fields))[0])
    await until_referrers_are(replica, digest, expected)


async def test_a_referrer_that_goes_and_comes_back_does_so_on_every_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str], database: Database, registry: Registry
) -> None:
    fields = {"subject": {"mediaType": OCI_MANIFEST, "digest": image[0], "size": 1}, "artifactType": "application/sbom"}
    other, _ = await client.push_image(NAME, None, b"a", **fields)
    referrer, document = await client.push_image(NAME, None, b"b", **fields)
    with_it, without_it = {other, referrer}, {other}

    async def put_again() -> None:
        await client.push_manifest(NAME, None, document)

    async def change(storage_class: StorageClass) -> None:
        await storage_classes.change(database, registry, NAME, Digest(referrer), None, storage_class)

    await until_referrers_are(replica, image[0], with_it)
    for back in (partial(change, StorageClass.STANDARD), put_again):
        await change(StorageClass.ARCHIVE)
        await until_referrers_are(replica, image[0], without_it)
        await back()
        await until_referrers_are(replica, image[0], with_it)
    for back in (partial(restoring.restore, database, registry, NAME, [Digest(referrer)]), put_again):
        assert (await client.send("DELETE", f"{NAME}/manifests/{referrer}")).status == 202
        await until_referrers_are(replica, image[0], without_it)
        await back()
        await until_referrers_are(replica, image[0], with_it)


async def test_a_deleted_repository_is_gone_on_every_replica_and_a_new_one_is_empty(
    replica: RegistryClient, image: tuple[str, str], database: Database, registry: Registry, make_repository: Make
) -> None:
    paths = (f"{NAME}/manifests/v1", f"{NAME}/blobs/{image[1]}")
    for path in paths:
        await remembered(replica, path)
    await repositories.remove(database, registry, NAME, force=True)
    for path in paths:
        await within_a_second(replica, path, status=404)
    await make_repository(NAME)
    for path in paths:
        assert (await replica.send("GET", path)).status == 404


async def test_a_deleted_layer_is_gone_on_every_replica(
    client: RegistryClient, replica: RegistryClient, database: Database, make_repository: Make
) -> None:
    repository = await make_repository(NAME)
    other = await make_repository("other")
    digest = await client.push_blob(NAME, b"a layer that nobody needs")
    assert await layers.mount(database, repository, other, Digest(digest))
    for name in (NAME, "other"):
        await remembered(replica, f"{name}/blobs/{digest}")
    assert (await client.send("DELETE", f"{NAME}/blobs/{digest}")).status == 202
    await within_a_second(replica, f"{NAME}/blobs/{digest}", status=404)
    assert (await replica.send("GET", f"other/blobs/{digest}")).status == 200


async def test_a_revoked_key_opens_no_replica(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str], database: Database, root_key: AccessKey
) -> None:
    paths = (f"{NAME}/manifests/v1", f"{NAME}/blobs/{image[1]}")
    for path in paths:
        await remembered(replica, path)
    assert await access_keys.revoke(database, root_key.id)
    for path in (*paths, "/v2/"):
        await within_a_second(replica, path, status=403)
    answer = await client.send("GET", paths[0])
    assert (answer.status, answer.error) == (
        403,
        {"code": "DENIED", "message": "The security token included in the request is invalid."},
    )
    assert not await access_keys.revoke(database, root_key.id)


async def test_on_one_machine_a_tag_has_moved_as_soon_as_the_push_is_answered(
    client: RegistryClient, replica: RegistryClient, make_repository: Make, is_apart: bool
) -> None:
    if is_apart:
        pytest.skip("on another machine it takes a moment")
    await make_repository(NAME)
    pushed = [await client.push_image(NAME, None, seed) for seed in (b"one", b"two")]
    for number in range(100):
        digest, document = pushed[number % 2]
        await client.push_manifest(NAME, "latest", document)
        answers = [await replica.send(method, f"{NAME}/manifests/latest") for method in ("GET", "HEAD", "GET")]
        assert {answer.headers["Docker-Content-Digest"] for answer in answers} == {digest}


async def ears(database: Database, more: str = "") -> list[int]:
    """The PostgreSQL backends of the connections over which processes hear what changes, at least two."""
    question = text(f"SELECT pid{more} FROM pg_stat_activity WHERE application_name = 'berth ear'")
    async with database.reading() as connection:
        while True:
            found = (await connection.execute(question)).all()
            if len(found) >= 2:
                return [row.pid for row in found]
            await asyncio.sleep(0.02)


async def test_a_replica_whose_connection_breaks_hands_out_nothing_that_is_gone(
    client: RegistryClient, replica: RegistryClient, make_repository: Make, database: Database
) -> None:
    await make_repository(NAME)
    for number in range(5):
        digest, _ = await client.push_image(NAME, "v1", str(number).encode())
        await ears(database)
        await remembered(replica, f"{NAME}/manifests/v1")
        await ears(database, ", pg_terminate_backend(pid)")
        assert (await client.send("DELETE", f"{NAME}/manifests/{digest}")).status == 202
        for reference in ("v1", digest):
            await within_a_second(replica, f"{NAME}/manifests/{reference}", status=404)


async def test_a_replica_that_hears_nothing_any_more_hands_out_nothing_that_is_gone(
    client: RegistryClient, replica: RegistryClient, image: tuple[str, str], database: Database
) -> None:
    await remembered(replica, f"{NAME}/manifests/v1")
    stopped = await ears(database)
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert (await client.send("DELETE", f"{NAME}/manifests/{image[0]}")).status == 202
        await within_a_second(replica, f"{NAME}/manifests/v1", status=404)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
