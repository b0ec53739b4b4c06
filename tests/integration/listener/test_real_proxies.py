"""The proxies of docs/deployment.md, as it configures them."""

import asyncio
import contextlib
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.absences import absent
from tests.authority import Authority
from tests.berth_process import free_port
from tests.integration.listener.conftest import Listen
from tests.integration.listener.plane import exchange

DOCUMENT = Path(__file__).parents[3] / "docs" / "deployment.md"
# A client that is not the proxy: both are this machine.
CLIENT = "127.0.0.2"
NGINX = "pid nginx.pid; error_log error.log; events {{}} http {{ access_log off; {paths} {servers} }}"
PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(found)


@contextlib.asynccontextmanager
async def program(folder: Path, *command: str) -> AsyncIterator[None]:
    if shutil.which(command[0]) is None:
        absent(f"not on this machine: {command[0]}")
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


async def connected(port: int, context: ssl.SSLContext, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TLS connection to the proxy, as soon as it passes one on."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(
                    "127.0.0.1", port, local_addr=(CLIENT, 0), ssl=context, server_hostname=name
                )
            await asyncio.sleep(0.1)


async def test_nginx(listen: Listen, authority: Authority, tmp_path: Path) -> None:
    files = authority.issue(tmp_path, names=("registry.example.com",))
    port = free_port()
    async with listen(trusted_proxies="127.0.0.1") as address:
        servers = example("nginx").replace("listen 443", f"listen 127.0.0.1:{port}")
        servers = servers.replace("127.0.0.1:5500", str(address))
        servers = servers.replace("/etc/nginx/berth.crt", str(files["tls_certificate"]))
        servers = servers.replace("/etc/nginx/berth.key", str(files["tls_key"]))
        paths = " ".join(f"{name}_temp_path {tmp_path}/{name};" for name in PATHS)
        (tmp_path / "nginx.conf").write_text(NGINX.format(paths=paths, servers=servers))
        command = ("nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-g", "daemon off;")
        async with program(tmp_path, *command):
            reader, writer = await connected(port, authority.trusting(), "registry.example.com")
            seen = json.loads(await exchange(reader, writer, "/who", "X-Forwarded-For: 6.6.6.6"))
            assert seen == {"address": CLIENT, "is_secure": True, "vpc_endpoint_id": None, "host": "berth.test"}
            size = 20_000_000
            writer.write(f"PUT /body HTTP/1.1\r\nHost: berth.test\r\nContent-Length: {size}\r\n\r\n".encode())
            writer.write(b"x" * size)
            answer = await asyncio.wait_for(reader.readuntil(str(size).encode()), 30)
            assert answer.startswith(b"HTTP/1.1 200")
            writer.close()


async def test_haproxy(listen: Listen, authority: Authority, tls: dict[str, Path], tmp_path: Path) -> None:
    port = free_port()
    async with listen(is_proxied=True, trusted_proxies="127.0.0.1", **tls) as address:
        configured = example("haproxy").replace("bind :443", f"bind 127.0.0.1:{port}")
        configured = configured.replace("127.0.0.1:5500", f"{address} inter 200ms")
        limits = "defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n\n"
        (tmp_path / "haproxy.cfg").write_text(limits + configured)
        async with program(tmp_path, "haproxy", "-db", "-f", "haproxy.cfg"):
            reader, writer = await connected(port, authority.trusting(), "berth.test")
            seen = json.loads(await exchange(reader, writer, "/who", "X-Forwarded-For: 6.6.6.6"))
            assert seen == {"address": CLIENT, "is_secure": True, "vpc_endpoint_id": None, "host": "berth.test"}
            writer.close()
            # It has asked whether we are ready by now, and goes on because we are.
            await asyncio.sleep(1)
            reader, writer = await connected(port, authority.trusting(), "berth.test")
            assert await exchange(reader, writer, "/id")
            writer.close()
