"""Berth as `berth up` starts it: durable, with its own PostgreSQL; every caller known, every step authorized."""

import base64
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import memory, signing
from bench.cpu import ProcessTree
from bench.oci import Registry
from bench.peers.filling import PAGE, fill
from bench.peers.peer import Peer
from bench.processes import free_port, running
from bench.samples import REFERRED, REPOSITORY
from bench.wire import Address, AnswerBroken, Connection, request

TERMS = (
    "SigV4 verified, Basic with a registry password, every step authorized; PostgreSQL and layers synced to the disk"
)
REST_SECONDS = 3.0
MODULES = {"controlplane": "control plane", "dataplane": "data plane", "berth.workers": "worker"}


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[Peer]:
    api, registry = Address("127.0.0.1", free_port()), Address("127.0.0.1", free_port())
    command = [Path(sys.executable).with_name("berth"), "up"]
    environment = {
        "BERTH_DATA": str(folder / "data"),
        "BERTH_API_LISTEN": str(api),
        "BERTH_REGISTRY_LISTEN": str(registry),
        "BERTH_REGION": signing.REGION,
        # What it can do is asked here, not what it lets an account do.
        "BERTH_THROTTLING": "off",
        "BERTH_ROOT_ACCESS_KEY_ID": signing.ACCESS_KEY_ID,
        "BERTH_ROOT_SECRET_ACCESS_KEY": signing.SECRET,
    }

    def ready() -> bool:
        return is_ready(api) and is_ready(registry)

    # The first start makes the database; the second is the one that people wait for every day.
    with running(command, folder, ready, environment):
        pass
    started = time.perf_counter()
    with running(command, folder, ready, environment) as process:
        seconds = time.perf_counter() - started
        tree = ProcessTree(process.pid, part_of)
        time.sleep(REST_SECONDS)
        at_rest = memory.at_rest(tree)
        let_in = Registry(registry, {"Authorization": f"Basic {registry_password(api)}"})
        for name in (REPOSITORY, REFERRED):
            ask(api, "CreateRepository", {"repositoryName": name})
        fill(folder, 0, PAGE)
        yield Peer(
            "Berth",
            TERMS,
            tree,
            api,
            let_in,
            let_in.hold,
            start_seconds=seconds,
            at_rest=at_rest,
            images_in=REPOSITORY,
            lists=let_in,
        )


def part_of(command: list[str]) -> str:
    for module, part in MODULES.items():
        if module in command:
            return part
    return "PostgreSQL" if command and "postgres" in command[0] else "up"


def is_ready(address: Address) -> bool:
    with contextlib.suppress(OSError, AnswerBroken), Connection(address) as connection:
        return connection.ask(request("GET", "/readyz", address, {})).status == 200
    return False


def registry_password(api: Address) -> str:
    """User and password in base64, as Basic has them."""
    (authorization,) = ask(api, "GetAuthorizationToken", {})["authorizationData"]
    token = str(authorization["authorizationToken"])
    base64.b64decode(token, validate=True)
    return token


def ask(api: Address, operation: str, members: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Raises AnswerBroken."""
    with Connection(api) as connection:
        answer = connection.ask(signing.call(api, operation, members))
    if answer.status != 200:
        raise AnswerBroken(f"{operation}: status {answer.status}: {answer.body[:200]!r}")
    found: dict[str, list[dict[str, str]]] = json.loads(answer.body)
    return found
