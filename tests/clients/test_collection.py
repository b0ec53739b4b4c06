"""Collection under fire: pushes, mounts, deletes and collections at once, while processes are killed with -9.

Nothing is kept longer than it must be here, so that collection has something to remove at every moment. In the end
every image whose push was acknowledged, and that nobody deleted, is whole; when all are deleted, the store is empty.

BERTH_TEST_COLLECTED_IMAGES sets how many images are pushed; pytest's --log-cli-level=info tells what happened.
"""

import contextlib
import hashlib
import http.client
import json
import logging
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.berth_process import BERTH, BerthProcess, starting_berth

from .conftest import client_of
from .plain_client import CONFIG, LAYER, MANIFEST, PlainClient, Refused, assert_whole

IMAGES = int(os.environ.get("BERTH_TEST_COLLECTED_IMAGES", "1500"))
PUSHERS, DELETERS, COLLECTORS = 4, 2, 2
MOST_KILLED = 8
REPOSITORIES = ("team/app", "team/base", "other")
# Layers that many images share: pushed, mounted, and collected when by chance no image has them.
SHARED = tuple(random.Random(number).randbytes(3000) for number in range(12))
log = logging.getLogger(__name__)
TROUBLE = (OSError, http.client.HTTPException, Refused)


@dataclass
class Fire:
    """All that goes on at once, and the images that must be there when it is over."""

    berth: BerthProcess
    client: PlainClient
    acknowledged: dict[tuple[str, str], str] = field(default_factory=dict)
    pushed: int = 0
    refused: int = 0
    deleted: int = 0
    killed: list[str] = field(default_factory=list)
    collectors: list[subprocess.Popen[bytes]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def told(self) -> str:
        return f"{self.pushed} pushed, {self.deleted} deleted, {self.refused} tried again, killed: {self.killed}"

    def burn(self) -> None:
        works = [self._push] * PUSHERS + [self._delete] * DELETERS + [self._collect] * COLLECTORS + [self._kill]
        threads = [
            threading.Thread(target=self._work, args=(work, random.Random(number))) for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.errors, self.errors

    def _work(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self.over.is_set():
                work(chance)
        except BaseException as error:
            self.errors.append(error)
            self.over.set()

    def _push(self, chance: random.Random) -> None:
        repository, tag = chance.choice(REPOSITORIES), f"t{chance.randrange(10**12)}"
        contents = [json.dumps({"of": tag}).encode(), chance.randbytes(chance.randrange(1, 20_000))]
        contents += chance.sample(SHARED, 2)
        while not self.over.is_set():
            try:
                digest = self._push_once(chance, repository, tag, contents)
            except TROUBLE:
                # Mostly a layer that was collected before its image came: a client pushes again.
                self.refused += 1
                time.sleep(0.02)
                continue
            with self.lock:
                self.acknowledged[repository, tag] = digest
                self.pushed += 1
                if self.pushed >= IMAGES:
                    self.over.set()
            return

    def _push_once(self, chance: random.Random, repository: str, tag: str, contents: list[bytes]) -> str:
        config, *layers = [
            {"mediaType": LAYER, "digest": self._push_blob(chance, repository, content), "size": len(content)}
            for content in contents
        ]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config | {"mediaType": CONFIG},
            "layers": layers,
        }
        return self.client.push_manifest(repository, tag, json.dumps(manifest).encode())

    def _push_blob(self, chance: random.Random, repository: str, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        source = chance.choice(REPOSITORIES)
        if content not in SHARED or not self.client.mount(repository, digest, source):
            self.client.push_blob_at_once(repository, digest, content)
        return digest

    def _delete(self, chance: random.Random) -> None:
        with self.lock:
            # Some stay, so that there is something to lose.
            doomed = [one for one in self.acknowledged if int(one[1][1:]) % 4]
            if len(doomed) < 20:
                doomed = []
            else:
                # From here on nobody answers for it.
                repository, tag = chance.choice(doomed)
                digest = self.acknowledged.pop((repository, tag))
        if not doomed:
            time.sleep(0.05)
            return
        with contextlib.suppress(*TROUBLE):
            self.client.delete_manifest(repository, digest)
            self.deleted += 1

    def _collect(self, chance: random.Random) -> None:
        process = subprocess.Popen(
            [str(BERTH), "collect"],
            env=self.berth.environment,
            cwd=self.berth.data.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.collectors.append(process)
        process.wait()
        self.collectors.remove(process)

    def _kill(self, chance: random.Random) -> None:
        self.over.wait(chance.uniform(0.5, 3))
        is_house_whole = self.berth.is_ready() and self.berth.has_child("worker")
        # Who is killed often is started again ever later: the others are collectors.
        is_enough = len([one for one in self.killed if one != "collector"]) >= MOST_KILLED
        victims = (
            ["collector"]
            if is_enough or not is_house_whole
            else ["dataplane", "worker", "backend", "backend", "collector"]
        )
        victim = chance.choice(victims)
        with contextlib.suppress(AssertionError, IndexError, psutil.NoSuchProcess, ProcessLookupError):
            if victim == "collector":
                chance.choice(list(self.collectors)).send_signal(signal.SIGKILL)
            elif victim == "backend":
                backends = [
                    one for one in self.berth.child("postgres").children() if "berth" in " ".join(one.cmdline())
                ]
                chance.choice(backends).kill()
            else:
                self.berth.child(victim).kill()
            self.killed.append(victim)


@pytest.fixture
def fire() -> Iterator[Fire]:
    """On a disk of files, with nothing kept longer than it must be."""
    with tempfile.TemporaryDirectory(prefix="berth-fire-") as folder:
        at_once = {"BERTH_RECOVERY_WINDOW": "0", "BERTH_LAYER_EXPIRY": "0"}
        with starting_berth(Path(folder) / "data", BERTH_THROTTLING="off", **at_once) as berth:
            ecr = client_of(berth.exports())
            for repository in REPOSITORIES:
                ecr.create_repository(repositoryName=repository)
            yield Fire(berth, PlainClient.logged_in(ecr, berth.registry_host))


@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_and_nothing_deleted_stays(
    fire: Fire, record_property: Callable[[str, object], None]
) -> None:
    fire.burn()
    fire.berth.wait_until_ready()
    log.info("%s", fire.told)
    for (repository, tag), digest in fire.acknowledged.items():
        assert_whole(fire.client, repository, tag, digest)
    ecr = client_of(fire.berth.exports())
    for repository in REPOSITORIES:
        ecr.delete_repository(repositoryName=repository, force=True)
    _collect_everything(fire.berth)


def _collect_everything(berth: BerthProcess) -> None:
    """After a crash of PostgreSQL itself, some bytes may be left that only a look through the whole store finds."""
    done = berth.run("collect", "--sweep")
    assert done.returncode == 0, done.stderr
    assert [*_files(berth.data / "store" / "blobs")] == []


def _files(folder: Path) -> Iterator[Any]:
    return (one for one in folder.rglob("*") if one.is_file())
