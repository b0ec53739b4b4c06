"""Berth on a bucket: push in any form, pull by redirect and through Berth, mount, delete; and the store is moved."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import signal
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.berth_process import BerthProcess, starting_berth
from tests.s3_servers import S3Server

from .bucket_client import BucketClient
from .conftest import client_of
from .plain_client import SeededImage, assert_whole
from .seeded import MIB, seeded_bytes
from .shell import Shell

REPOSITORY = "in/a/bucket"


def client(berth: BerthProcess) -> BucketClient:
    ecr = client_of(berth.exports())
    made = BucketClient.logged_in(ecr, berth.registry_host)
    ecr.close()
    return made


def make_repository(berth: BerthProcess, name: str) -> None:
    ecr = client_of(berth.exports())
    ecr.create_repository(repositoryName=name)
    ecr.close()


@dataclasses.dataclass
class OnBucket:
    berth: BerthProcess
    client: BucketClient
    server: S3Server
    bucket: str
    redirects: bool

    def names(self) -> set[str]:
        store = self.server.client()
        pages = store.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = {entry["Key"] for page in pages for entry in page.get("Contents", ())}
        store.close()
        return keys


@pytest.fixture(scope="module", params=["redirect", "proxy"])
def on_bucket(request: pytest.FixtureRequest, real_s3: S3Server) -> Iterator[OnBucket]:
    bucket = real_s3.make_bucket()
    # crane follows no redirect from one host to a private address of another.
    public = real_s3.endpoint.replace("127.0.0.1", "localhost")
    more = {"BERTH_S3_PULLS": request.param, "BERTH_S3_PUBLIC_ENDPOINT": public}
    variables = real_s3.variables(bucket, "berth") | more
    with tempfile.TemporaryDirectory(prefix="berth-bucket-") as folder:
        with starting_berth(Path(folder) / "data", **variables) as berth:
            make_repository(berth, REPOSITORY)
            yield OnBucket(berth, client(berth), real_s3, bucket, request.param == "redirect")
            assert real_s3.secret not in berth.log
        assert not (Path(folder) / "data" / "store").exists()


def test_images_are_pushed_and_pulled(on_bucket: OnBucket) -> None:
    """Streamed, in pieces, tiny; each request may come to another process."""
    image = SeededImage("plain", seed=1, sizes=(20 * MIB, 30 * MIB, 1))
    digest = image.push(on_bucket.client, REPOSITORY)
    assert_whole(on_bucket.client, REPOSITORY, "plain", digest)


def test_a_range_is_pulled_and_what_is_asked_of_the_head_is_told(on_bucket: OnBucket) -> None:
    content = bytes(range(256)) * 8000
    digest = on_bucket.client.push_blob(REPOSITORY, [content])
    redirects = on_bucket.redirects
    assert on_bucket.client.pulled(REPOSITORY, digest) == (content, redirects)
    assert on_bucket.client.pulled(REPOSITORY, digest, "bytes=1000-1999") == (content[1000:2000], redirects)
    assert on_bucket.client.pulled(REPOSITORY, digest, "bytes=-10") == (content[-10:], redirects)
    assert on_bucket.client.head(REPOSITORY, digest) == len(content)


def test_a_layer_is_mounted_and_deleted(on_bucket: OnBucket) -> None:
    make_repository(on_bucket.berth, "another")
    digest = on_bucket.client.push_blob(REPOSITORY, [b"mounted"])
    on_bucket.client.mount(REPOSITORY, "another", digest)
    on_bucket.client.delete(REPOSITORY, digest)
    assert on_bucket.client.pulled("another", digest)[0] == b"mounted"
    on_bucket.client.delete("another", digest)
    assert on_bucket.berth.run("collect").returncode == 0
    assert not any(digest.removeprefix("sha256:") in key for key in on_bucket.names())


def test_the_api_tells_an_address_that_needs_no_password(on_bucket: OnBucket) -> None:
    image = SeededImage("download", seed=7, sizes=(MIB, 2 * MIB, 1))
    image.push(on_bucket.client, REPOSITORY)
    ecr = client_of(on_bucket.berth.exports())
    digest = f"sha256:{hashlib.sha256(b''.join(seeded_bytes(70, MIB))).hexdigest()}"
    url = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=digest)["downloadUrl"]
    ecr.close()
    assert ("X-Amz-Signature" in url) == on_bucket.redirects
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert f"sha256:{hashlib.sha256(answer.read()).hexdigest()}" == digest


def test_another_process_completes_an_upload(on_bucket: OnBucket) -> None:
    parts = [b"first" * MIB, b"second"]
    location = on_bucket.client.begin(REPOSITORY)
    location = on_bucket.client.patch(location, parts[0])
    for child in on_bucket.berth._children("dataplane"):
        child.send_signal(signal.SIGKILL)
    on_bucket.berth.wait_until(lambda: on_bucket.berth.has_child("dataplane"))
    on_bucket.berth.wait_until_ready()
    location = on_bucket.client.patch(location, parts[1])
    digest = f"sha256:{hashlib.sha256(b''.join(parts)).hexdigest()}"
    on_bucket.client.put(location, digest)
    assert on_bucket.client.pulled_digest(REPOSITORY, digest) == digest


def test_nothing_but_blobs_is_left(on_bucket: OnBucket) -> None:
    on_bucket.berth.wait_until(
        lambda: {key for key in on_bucket.names() if "/blobs/" not in key} == {"berth/uploads/.probe"}
    )


@pytest.mark.clients("crane")
def test_crane_pushes_and_validates(on_bucket: OnBucket, scratch: Path, build_context: Path) -> None:
    shell = Shell.isolated(scratch, on_bucket.berth.exports())
    host = on_bucket.berth.registry_host
    password = on_bucket.client.authorization.removeprefix("Basic ")
    config = json.dumps({"auths": {host: {"auth": password}}})
    (scratch / "config.json").write_text(config)
    crane = shell.having(DOCKER_CONFIG=str(scratch))
    tagged = f"{host}/{REPOSITORY}:crane"
    crane("tar", "-C", build_context, "-cf", scratch / "layer.tar", "busybox")
    crane("crane", "append", "--oci-empty-base", "-f", scratch / "layer.tar", "-t", tagged)
    assert "PASS" in crane("crane", "validate", "--remote", tagged)


class Traffic:
    """Pushes and pulls by a client until told to stop, each of which has to succeed."""

    def __init__(self, client: BucketClient, known: dict[str, str]) -> None:
        self.client = client
        self.known = known
        self.errors: list[BaseException] = []
        self.stopping = threading.Event()

    def _work(self) -> None:
        try:
            while not self.stopping.is_set():
                push(self.client, self.known)
                for tag, digest in [*self.known.items()][:: max(1, len(self.known) // 3)]:
                    assert_whole(self.client, REPOSITORY, tag, digest)
        except BaseException as error:
            self.errors.append(error)

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        before, thread = len(self.known), threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            thread.join()
        assert self.errors == []
        assert len(self.known) > before


def push(client: BucketClient, known: dict[str, str]) -> None:
    image = SeededImage(f"image-{len(known)}", len(known), sizes=(MIB, 3 * MIB, 1))
    known[image.tag] = image.push(client, REPOSITORY)


def run(berth: BerthProcess, *command: str) -> str:
    done = berth.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_store_is_moved_to_a_bucket_and_back_while_all_goes_on(real_s3: S3Server) -> None:
    """The steps of docs/deployment.md, "Moving the store"."""
    known: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="berth-moved-") as name:
        folder = Path(name)
        places = [f"file://{folder}/first", f"s3://{real_s3.make_bucket()}/berth", f"file://{folder}/third"]
        access = {name: value for name, value in real_s3.variables("any").items() if name != "BERTH_STORE"}

        @contextlib.contextmanager
        def serving(store: str, also: str = "") -> Iterator[tuple[BerthProcess, BucketClient]]:
            with starting_berth(folder / "data", **access, BERTH_STORE=store, BERTH_STORE_ALSO=also) as berth:
                yield berth, client(berth)

        with serving(places[0]) as (berth, here):
            make_repository(berth, REPOSITORY)
            for _ in range(5):
                push(here, known)
            begun = urlsplit(here.patch(here.begin(REPOSITORY), b"begun before"))
            ahead = berth.run("store", "migrate", places[0], places[1], "--at-once", "2")
            assert f"set BERTH_STORE={places[1]} and BERTH_STORE_ALSO={places[0]}" in ahead.stdout
        for former, store in itertools.pairwise(places):
            with serving(store, also=former) as (berth, here), Traffic(here, known).going_on():
                if former == places[0]:
                    refused = berth.run("store", "migrate", former, store)
                    assert (refused.returncode, "1 uploads that began in" in refused.stdout) == (1, True)
                    here.put(f"{begun.path}?{begun.query}", f"sha256:{hashlib.sha256(b'begun before').hexdigest()}")
                assert "BERTH_STORE_ALSO is no longer needed" in run(berth, "store", "migrate", former, store)
            with serving(store) as (berth, here):
                for tag, digest in known.items():
                    assert_whole(here, REPOSITORY, tag, digest)
                assert "all is well" in run(berth, "store", "verify")
