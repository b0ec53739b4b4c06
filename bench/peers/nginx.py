"""nginx, the limit: the same bytes from plain files by sendfile, with nobody asked who they are."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.cpu import ProcessTree
from bench.oci import Registry, blob_path, manifest_path
from bench.peers import tools
from bench.peers.peer import Peer
from bench.processes import accepts, free_port, running
from bench.samples import TAG, Image, LargeLayer, digest_of
from bench.wire import Address

TERMS = "plain files, sendfile on; no authentication"
# As it comes, but for the log of requests, and for connections that stay open however many requests they carry.
CONFIGURATION = """\
{user}
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/temporary;
  proxy_temp_path {folder}/temporary;
  fastcgi_temp_path {folder}/temporary;
  uwsgi_temp_path {folder}/temporary;
  scgi_temp_path {folder}/temporary;
  default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


@contextlib.contextmanager
def starting_nginx(folder: Path) -> Iterator[Peer]:
    program = tools.of_system("nginx", "nginx-light")
    told = subprocess.run([str(program), "-v"], capture_output=True, text=True, check=False, timeout=30).stderr
    version = told.strip().rpartition("/")[2]
    port = free_port()
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(CONFIGURATION.format(user=user, folder=folder, port=port))
    command = [program, "-e", "stderr", "-p", folder, "-c", file]
    with running(command, folder, lambda: accepts(port)) as process:
        registry = Registry(Address("127.0.0.1", port))

        def hold(image: Image, layer: LargeLayer) -> None:
            _hold(folder / "files", image, layer)

        yield Peer(
            f"nginx {version}", TERMS, ProcessTree(process.pid), registry=registry, hold=hold, takes_pushes=False
        )


def _hold(root: Path, image: Image, layer: LargeLayer) -> None:
    files: dict[str, tuple[memoryview, ...]] = {blob_path(digest_of(blob)): (memoryview(blob),) for blob in image.blobs}
    files[blob_path(layer.digest)] = layer.parts
    for reference in (TAG, image.digest):
        files[manifest_path(reference)] = (memoryview(image.manifest),)
    for path, parts in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as output:
            output.writelines(parts)
