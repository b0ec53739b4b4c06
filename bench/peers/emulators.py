"""moto and ministack: emulators of AWS that keep everything in memory."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import ProcessTree
from bench.peers import tools
from bench.peers.peer import Peer
from bench.processes import accepts, free_port, running
from bench.wire import Address

MOTO, MINISTACK = "5.2.5", "1.5.33"
TERMS = "in memory, verifies no signature"


@contextlib.contextmanager
def starting_moto(folder: Path) -> Iterator[Peer]:
    server = tools.of_python(f"moto[server]=={MOTO}", "moto_server")
    port = free_port()
    command = [server, "-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder, lambda: accepts(port)) as process:
        yield Peer(f"moto {MOTO}", TERMS, ProcessTree(process.pid), api=Address("127.0.0.1", port))


@contextlib.contextmanager
def starting_ministack(folder: Path) -> Iterator[Peer]:
    server = tools.of_python(f"ministack=={MINISTACK}", "ministack")
    port = free_port()
    environment = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "TMPDIR": str(folder)}
    with running([server], folder, lambda: accepts(port), environment) as process:
        yield Peer(f"ministack {MINISTACK}", TERMS, ProcessTree(process.pid), api=Address("127.0.0.1", port))
