"""Distribution, the registry in Go: Debian's docker-registry (2.8) and version 3."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import ProcessTree
from bench.oci import Registry
from bench.peers import tools
from bench.peers.peer import Peer
from bench.processes import accepts, free_port, running
from bench.wire import Address

VERSION = "v3.1.2"
MODULE = "github.com/distribution/distribution/v3/cmd/registry"
TERMS = "no authentication; syncs files to the disk, but not the names of blobs"
# As it comes, but for the log of requests (Berth has none either).
CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  cache: {{blobdescriptor: inmemory}}
  filesystem: {{rootdirectory: {folder}/blobs}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextlib.contextmanager
def starting_debian(folder: Path) -> Iterator[Peer]:
    program = tools.of_system("docker-registry", "docker-registry")
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    version = re.search(r"\d+\.\d+\.\d+", told)
    with _starting(program, f"docker-registry {version[0] if version else ''}".strip(), folder) as peer:
        yield peer


@contextlib.contextmanager
def starting_version_3(folder: Path) -> Iterator[Peer]:
    program = tools.of_go(MODULE, VERSION, "registry")
    with _starting(program, f"distribution {VERSION.removeprefix('v')}", folder) as peer:
        yield peer


@contextlib.contextmanager
def _starting(program: Path, name: str, folder: Path) -> Iterator[Peer]:
    port = free_port()
    file = folder / "registry.yml"
    file.write_text(CONFIGURATION.format(folder=folder, port=port))
    command = [program, "serve", file]
    with running(command, folder, lambda: accepts(port), {"OTEL_TRACES_EXPORTER": "none"}) as process:
        registry = Registry(Address("127.0.0.1", port))
        yield Peer(name, TERMS, ProcessTree(process.pid), registry=registry, hold=registry.hold)
