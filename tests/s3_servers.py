"""S3 for tests: a real server over a folder (versitygw), and moto's."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from pydantic import SecretStr

from berth.settings import Settings
from berth.store.s3 import Access
from tests.berth_process import free_port

VERSITYGW = "versitygw"
START_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """One that runs; a root's key opens it."""

    endpoint: str
    access_key_id: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def make_bucket(self) -> str:
        bucket = f"bucket-{secrets.token_hex(6)}"
        client = self.client()
        client.create_bucket(Bucket=bucket)
        client.close()
        return bucket

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def access(self, bucket: str, prefix: str = "", **others: object) -> Access:
        key = {"access_key_id": self.access_key_id, "secret_access_key": SecretStr(self.secret)}
        return Access(bucket, prefix, **{"endpoint": self.endpoint} | key | others)

    def variables(self, bucket: str, prefix: str = "") -> dict[str, str]:
        """The settings of a Berth whose store it is."""
        return {
            "BERTH_STORE": f"s3://{bucket}/{prefix}",
            "BERTH_S3_ENDPOINT": self.endpoint,
            "BERTH_S3_ACCESS_KEY_ID": self.access_key_id,
            "BERTH_S3_SECRET_ACCESS_KEY": self.secret,
        }

    def settings(self, settings: Settings, bucket: str, prefix: str = "", **others: str) -> Settings:
        names = {name.removeprefix("BERTH_").lower(): value for name, value in self.variables(bucket, prefix).items()}
        return Settings(**settings.model_dump(exclude_unset=True) | names | others)


def versitygw() -> str | None:
    """Its program, where .ci/install has put it on PATH or into its cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "berth-ci" / "bin"
    return shutil.which(VERSITYGW) or shutil.which(VERSITYGW, path=str(cache))


@contextlib.contextmanager
def running_versitygw(folder: Path) -> Iterator[S3Server]:
    program, port = versitygw(), free_port()
    assert program is not None
    server = S3Server(f"http://127.0.0.1:{port}")
    (folder / "buckets").mkdir()
    key = {"ROOT_ACCESS_KEY": server.access_key_id, "ROOT_SECRET_KEY": server.secret}
    command = [program, "--port", f"127.0.0.1:{port}", "--quiet", "posix", str(folder / "buckets")]
    with _running(command, key, server):
        yield server


@contextlib.contextmanager
def running_moto(folder: Path) -> Iterator[S3Server]:
    port = free_port()
    server = S3Server(f"http://127.0.0.1:{port}")
    program = Path(sys.executable).with_name("moto_server")
    with _running([str(program), "-H", "127.0.0.1", "-p", str(port)], {}, server):
        yield server


@contextlib.contextmanager
def _running(command: list[str], variables: dict[str, str], server: S3Server) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **variables}, **quiet)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(server.endpoint):
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{command[0]} does not answer"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as refused:
        refused.close()
    except OSError:
        return False
    return True
