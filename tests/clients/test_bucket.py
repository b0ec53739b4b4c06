"""Berth with its layers in an S3 bucket: clients are sent there for the bytes, and all of them find their way."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.berth_process import BerthProcess, starting_berth
from tests.s3_servers import S3Server, running_versitygw

from . import layouts
from .conftest import Repository
from .shell import Shell
from .small import small_layout
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "versitygw")


@dataclass(frozen=True)
class Bucket:
    """A Berth, the S3 server that its bucket is on, and how clients reach that server."""

    berth: BerthProcess
    server: S3Server
    endpoint: str


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with tempfile.TemporaryDirectory(prefix="berth-bucket-") as name:
        folder = Path(name)
        with running_versitygw(folder) as server:
            # by name: crane does not let a registry send it to a private IP address
            endpoint = server.endpoint.replace("127.0.0.1", "localhost")
            settings = server.variables(server.make_bucket(), "layers") | {"BERTH_S3_PUBLIC_ENDPOINT": endpoint}
            with starting_berth(folder / "data", **settings) as berth:
                yield Bucket(berth, server, endpoint)


@pytest.fixture
def exports(bucket: Bucket) -> dict[str, str]:
    return bucket.berth.exports()


@pytest.fixture
def client(shell: Shell, password: str, repository: Repository) -> Shell:
    """Log in for every client: they read Docker's file or Podman's."""
    granted = {"auths": {repository.host: {"auth": _basic(password.strip())}}}
    docker = Path(shell.environment["DOCKER_CONFIG"])
    docker.mkdir()
    for file in (docker / "config.json", Path(shell.environment["REGISTRY_AUTH_FILE"])):
        file.write_text(json.dumps(granted))
    return shell


def _basic(password: str) -> str:
    return base64.b64encode(f"AWS:{password}".encode()).decode()


@pytest.fixture
def layout(scratch: Path) -> layouts.Layout:
    return small_layout(scratch)


def crane(client: Shell, layout: layouts.Layout, image: str) -> Path:
    client("crane", "push", "--index", layout.folder, f"{image}-outer")
    client("crane", "tag", f"{image.rpartition(':')[0]}@{layout.index}", image.rpartition(":")[2])
    client("crane", "pull", "--format", "oci", image, "out")
    return client.folder / "out"


def skopeo(client: Shell, layout: layouts.Layout, image: str) -> Path:
    copy = ["skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
    client(*copy, f"oci:{layout.folder}:both", f"docker://{image}")
    client(*copy, f"docker://{image}", "oci:out:both")
    return client.folder / "out"


def regctl(client: Shell, layout: layouts.Layout, image: str) -> Path:
    client("regctl", "registry", "set", "--skip-check", "--tls", "disabled", image.split("/")[0])
    client("regctl", "image", "copy", f"ocidir://{layout.folder}:both", image)
    client("regctl", "image", "copy", image, "ocidir://out:both")
    return client.folder / "out"


def oras(client: Shell, layout: layouts.Layout, image: str) -> Path:
    client("oras", "copy", "--from-oci-layout", "--to-plain-http", f"{layout.folder}:both", image)
    client("oras", "copy", "--from-plain-http", "--to-oci-layout", image, "out:both")
    return client.folder / "out"


ROUND_TRIPS = (crane, skopeo, regctl, oras)


@pytest.mark.parametrize(
    "round_trip", [pytest.param(one, id=one.__name__, marks=pytest.mark.clients(one.__name__)) for one in ROUND_TRIPS]
)
def test_an_index_goes_into_the_bucket_and_comes_back_byte_for_byte(
    round_trip: Callable[[Shell, layouts.Layout, str], Path],
    client: Shell,
    layout: layouts.Layout,
    repository: Repository,
    ecr: Any,
) -> None:
    came = layouts.blobs_of(round_trip(client, layout, f"{repository.uri}:both"))
    assert came == layouts.blobs_of(layout.folder)
    assert stored_image(ecr, repository.name, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(ecr, repository.name, imageDigest=digest)


@pytest.mark.clients("docker", "dockerd")
def test_docker_pushes_into_the_bucket_and_pulls_from_it(
    client: Shell, docker_host: str, build_context: Path, repository: Repository, ecr: Any
) -> None:
    docker, tagged = client.having(DOCKER_HOST=docker_host), f"{repository.uri}:docker"
    docker("docker", "build", "--quiet", "-t", tagged, build_context)
    docker("docker", "push", tagged)
    stored = whole(ecr, repository.name, imageTag="docker")
    docker("docker", "image", "rm", "--force", stored.blobs[0])
    docker("docker", "pull", tagged)
    (pulled,) = docker.json("docker", "image", "inspect", tagged)
    assert pulled["Id"] == stored.blobs[0]
    docker("docker", "image", "rm", "--force", stored.blobs[0])


@pytest.mark.clients("ctr", "containerd")
def test_containerd_pushes_into_the_bucket_and_pulls_from_it(
    client: Shell, containerd_address: str, password: str, layout: layouts.Layout, repository: Repository, ecr: Any
) -> None:
    ctr, tagged = ("ctr", "--address", containerd_address, "images"), f"{repository.uri}:both"
    client("tar", "-C", layout.folder, "-cf", "layout.tar", "oci-layout", "index.json", "blobs")
    client(*ctr, "import", "--all-platforms", "--base-name", repository.uri, "layout.tar")
    credentials = ["--plain-http", "--user", f"AWS:{password.strip()}"]
    client(*ctr, "push", *credentials, tagged)
    client(*ctr, "rm", "--sync", tagged)
    client(*ctr, "pull", "--all-platforms", *credentials, tagged)
    content = client("ctr", "--address", containerd_address, "content", "ls", "--quiet").split()
    assert {f"sha256:{name}" for name in layouts.blobs_of(layout.folder)} <= set(content)
    client(*ctr, "rm", "--sync", tagged)
    for digest in layout.images.values():
        whole(ecr, repository.name, imageDigest=digest)


@pytest.mark.clients("crane", "curl")
def test_a_layer_is_given_by_the_bucket_and_its_address_tells_no_password(
    client: Shell, bucket: Bucket, layout: layouts.Layout, repository: Repository, password: str, ecr: Any
) -> None:
    client("crane", "push", "--index", layout.folder, f"{repository.uri}:outer")
    layer = stored_image(ecr, repository.name, imageDigest=layout.images["amd64"]).blobs[1]
    url = f"http://{repository.host}/v2/{repository.name}/blobs/{layer}"
    curl = ["curl", "-sS", "-o", "layer", "--user", f"AWS:{password.strip()}", "-w", "%{http_code} %{redirect_url}"]
    status, _, address = client(*curl, url).partition(" ")
    assert status == "307"
    assert address.startswith(f"{bucket.endpoint}/")
    assert password.strip() not in address
    assert bucket.server.secret not in address
    client("curl", "-sS", "--fail", "-o", "layer", address)
    assert f"sha256:{hashlib.sha256((client.folder / 'layer').read_bytes()).hexdigest()}" == layer
