"""kill -9 of any process, at any moment of a push: what was acknowledged is whole, what was not can be tried again."""

import contextlib
import http.client
import itertools
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.berth_process import BerthProcess, starting_berth

from .conftest import client_of
from .plain_client import PlainClient, Refused, SeededImage, assert_whole

ROUNDS = 4
FAILURES = 2  # after so many a client waits for the end of the round
VICTIMS = ["controlplane", "dataplane", "worker", "postgres", "a backend of postgres", "berth up"]


@dataclass
class Pushes:
    """Images pushed one after the other until told to stop, by two clients at once."""

    client: PlainClient
    repository: str
    first_seed: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    unfinished: list[SeededImage] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Push while the block runs; what was under way at its end is still finished, or fails."""
        threads = [threading.Thread(target=self._push, args=(start,)) for start in (0, 1)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def _push(self, start: int) -> None:
        failures = 0
        for number in itertools.count(start, 2):
            if self.stopping.is_set() or failures == FAILURES:
                return
            image = SeededImage(f"image-{self.first_seed + number}", self.first_seed + number)
            try:
                self.acknowledged[image.tag] = image.push(self.client, self.repository)
            except (OSError, http.client.HTTPException, Refused):
                self.unfinished.append(image)
                failures += 1
                time.sleep(0.05)


def process_of(berth: BerthProcess, victim: str) -> psutil.Process:
    if victim == "berth up":
        return psutil.Process(berth.process.pid)
    if victim == "a backend of postgres":
        children = berth.child("postgres").children()
        return random.choice([child for child in children if "idle" in " ".join(child.cmdline())] or children)
    return berth.child(victim)


def runs(berth: BerthProcess, name: str) -> bool:
    with contextlib.suppress(AssertionError):
        return berth.child(name).is_running()
    return False


class House:
    """A data folder, and the Berth that runs on it: started anew where `berth up` itself was killed."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-kill-"))) / "data"
        self.berth = stack.enter_context(starting_berth(self.data, BERTH_THROTTLING="off"))
        self.ecr = client_of(self.berth.exports())

    def kill(self, victim: str) -> None:
        process_of(self.berth, victim).kill()

    def recover(self) -> None:
        """Wait until Berth serves again, as the one who runs it would."""
        with contextlib.suppress(Exception):
            self.berth.process.wait(0.2)
        if self.berth.process.poll() is not None:
            self.berth = self.stack.enter_context(starting_berth(self.data, BERTH_THROTTLING="off"))
            self.ecr = client_of(self.berth.exports())
        self.berth.wait_until_ready()
        # the worker answers no readiness, and the supervisor lets it wait ever longer
        deadline = time.monotonic() + 30
        while not runs(self.berth, "worker"):
            assert time.monotonic() < deadline, self.berth.log
            time.sleep(0.1)

    def client(self) -> PlainClient:
        return PlainClient.logged_in(self.ecr, self.berth.registry_host)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(stack)


@pytest.mark.parametrize("victim", VICTIMS)
def test_acknowledged_pushes_survive_kill_9_and_unfinished_ones_are_tried_again(house: House, victim: str) -> None:
    chance = random.Random(f"kill {victim}")
    repository = f"kill/{victim.replace(' ', '-')}"
    house.ecr.create_repository(repositoryName=repository)
    begun = time.monotonic()
    undisturbed = SeededImage("undisturbed", seed=VICTIMS.index(victim))
    acknowledged = {undisturbed.tag: undisturbed.push(house.client(), repository)}
    latest = 3 * (time.monotonic() - begun)
    for number in range(ROUNDS):
        pushes = Pushes(house.client(), repository, first_seed=(number + 1) * 1000)
        with pushes.going_on():
            time.sleep(chance.uniform(0, latest))
            house.kill(victim)
            time.sleep(0.2)
        house.recover()
        client = house.client()
        for tag, digest in pushes.acknowledged.items():
            assert_whole(client, repository, tag, digest)
        acknowledged |= pushes.acknowledged
        for image in pushes.unfinished:
            acknowledged[image.tag] = image.push(client, repository)
            assert_whole(client, repository, image.tag, acknowledged[image.tag])
    assert tags_of(house.ecr, repository) == acknowledged


def tags_of(ecr: Any, repository: str) -> dict[str, str]:
    pages = ecr.get_paginator("list_images").paginate(repositoryName=repository)
    ids = itertools.chain.from_iterable(page["imageIds"] for page in pages)
    return {entry["imageTag"]: entry["imageDigest"] for entry in ids}
