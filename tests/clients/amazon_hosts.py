"""A Berth that answers at the hosts of Amazon's registries, by TLS on port 443, with a certificate of a private CA.

/etc/hosts says that those hosts are this machine; in a company its private DNS would.
"""

import contextlib
import json
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.absences import absent
from tests.berth_process import launching_berth

from .conftest import client_of
from .hosts_file import named
from .private_ca import Issued, issue
from .shell import Shell

ACCOUNT = "210987654321"
REGIONS = ("us-east-1", "eu-central-1")
HTTPS = 443


def host(region: str) -> str:
    """The host of the account's registry in the region."""
    return f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com"


@dataclass(frozen=True)
class Amazon:
    """The running Berth: what `berth env` exports, with the CA, and the files of the CA."""

    exports: dict[str, str]
    issued: Issued

    def ecr(self, region: str) -> Any:
        return client_of(self.exports | {"AWS_REGION": region})


def use_credential_helper(shell: Shell) -> None:
    """Set up ECR's credential helper as its documentation has it, for Docker and for Podman: nobody logs in."""
    config = json.dumps({"credHelpers": {host(region): "ecr-login" for region in REGIONS}})
    docker = Path(shell.environment["DOCKER_CONFIG"])
    docker.mkdir()
    for file in (docker / "config.json", Path(shell.environment["REGISTRY_AUTH_FILE"])):
        file.write_text(config)


@contextlib.contextmanager
def amazon() -> Iterator[Amazon]:
    """Run the Berth; a test is skipped where it may not take the port, or name the hosts."""
    try:
        socket.create_server(("127.0.0.1", HTTPS)).close()
    except OSError as error:
        absent(f"Berth cannot listen at port {HTTPS}: {error.strerror}")
    hosts = [host(region) for region in REGIONS]
    with (
        named(*hosts),
        tempfile.TemporaryDirectory(prefix="berth-amazon-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        issued = issue(Path(folder), "localhost", *hosts)
        settings = {
            "BERTH_ACCOUNT_ID": ACCOUNT,
            "BERTH_REGISTRY_LISTEN": f"localhost:{HTTPS}",
            "BERTH_REGISTRY_HOST": "{account}.dkr.ecr.{region}.amazonaws.com",
            "BERTH_TLS_CERTIFICATE": str(issued.certificate),
            "BERTH_TLS_KEY": str(issued.key),
        }
        with launching_berth(Path(folder) / "data", **settings) as berth:
            berth.wait_for_log("Ctrl-C stops it", seconds=60)
            # the tests themselves download layers, too
            patch.setenv("SSL_CERT_FILE", str(issued.authority))
            yield Amazon(berth.exports() | {"AWS_CA_BUNDLE": str(issued.authority)}, issued)
