"""Host patterns, vanity hosts and path style name the registries of one Berth, all at once, to real clients."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.berth_process import BerthProcess, free_port, starting_berth

from .conftest import client_of
from .hosts_file import named, once_known
from .plain_client import PlainClient, SeededImage
from .seeded import MIB
from .shell import ProgramFailed, Shell
from .stored import stored_image, whole

pytestmark = pytest.mark.clients("aws", "crane", "curl")

ACCOUNT = "210987654321"
DEFAULT, SECOND, THIRD = "us-east-1", "eu-central-1", "ap-southeast-2"
VANITY = "images.berth.test"


def pattern(region: str) -> str:
    return f"{ACCOUNT}.dkr.ecr.{region}.berth.test"


@dataclass(frozen=True)
class Shore:
    """A Berth with every kind of address, and the port of its registry."""

    berth: BerthProcess
    exports: dict[str, str]
    port: int

    def ecr(self, region: str) -> Any:
        return client_of(self.exports | {"AWS_REGION": region})

    def addresses(self, region: str) -> list[str]:
        """All prefixes under which the registry of a region is reached."""
        found = [f"{pattern(region)}:{self.port}", f"localhost:{self.port}/{ACCOUNT}/{region}"]
        if region == DEFAULT:
            found.append(f"localhost:{self.port}")
        if region == SECOND:
            found.append(f"{VANITY}:{self.port}")
        return found


@pytest.fixture(scope="module")
def shore() -> Iterator[Shore]:
    port = free_port()
    names = [VANITY, *(pattern(region) for region in (DEFAULT, SECOND, THIRD))]
    settings = {
        "BERTH_ACCOUNT_ID": ACCOUNT,
        "BERTH_REGISTRY_LISTEN": f"localhost:{port}",
        "BERTH_REGISTRY_HOST": f"{{account}}.dkr.ecr.{{region}}.berth.test:{port}",
        "BERTH_REGISTRY_ALIASES": json.dumps({VANITY: f"{ACCOUNT}/{SECOND}"}),
    }
    with (
        named(*names),
        tempfile.TemporaryDirectory(prefix="berth-addresses-") as folder,
        starting_berth(Path(folder) / "data", **settings) as berth,
    ):
        yield Shore(berth, berth.exports(), port)


@pytest.fixture
def exports(shore: Shore) -> dict[str, str]:
    return shore.exports


@pytest.fixture
def images(shore: Shore) -> Iterator[dict[str, str]]:
    """Push another image to the repository `cargo` of each registry, by the address that the API gives."""
    digests = {}
    for seed, region in enumerate((DEFAULT, SECOND, THIRD), start=31):
        ecr = shore.ecr(region)
        uri = ecr.create_repository(repositoryName="cargo")["repository"]["repositoryUri"]
        assert uri == f"{pattern(region)}:{shore.port}/cargo"
        client = PlainClient.logged_in(ecr, uri.removesuffix("/cargo"))
        digests[region] = SeededImage("v1", seed=seed, sizes=(MIB,)).push(client, "cargo")
    yield digests
    for region in digests:
        shore.ecr(region).delete_repository(repositoryName="cargo", force=True)


@pytest.fixture
def crane(shell: Shell, shore: Shore, images: dict[str, str]) -> Shell:
    password = shell("aws", "ecr", "get-login-password").strip()
    for host in {address.split("/")[0] for region in images for address in shore.addresses(region)}:
        shell("crane", "auth", "login", host, "-u", "AWS", "--password-stdin", stdin=password)
    return shell


def test_every_address_of_a_registry_leads_to_it_and_to_no_other(
    crane: Shell, shore: Shore, images: dict[str, str]
) -> None:
    assert len(set(images.values())) == len(images)
    for region, digest in images.items():
        for address in shore.addresses(region):
            assert crane("crane", "digest", "--insecure", f"{address}/cargo:v1").strip() == digest, address
            for other in set(images.values()) - {digest}:
                with pytest.raises(ProgramFailed):
                    crane("crane", "manifest", "--insecure", f"{address}/cargo@{other}")


def test_an_image_is_copied_between_registries_by_any_two_of_their_addresses(
    crane: Shell, shore: Shore, images: dict[str, str]
) -> None:
    sources, targets = shore.addresses(SECOND), shore.addresses(THIRD)
    for number, (source, target) in enumerate((source, target) for source in sources for target in targets):
        crane("crane", "copy", "--insecure", f"{source}/cargo:v1", f"{target}/cargo:copy-{number}")
        assert whole(shore.ecr(THIRD), "cargo", imageTag=f"copy-{number}").digest == images[SECOND]
    listed = crane("crane", "ls", "--insecure", f"{targets[0]}/cargo").split()
    assert listed == ["copy-0", "copy-1", "copy-2", "copy-3", "copy-4", "copy-5", "v1"]


def test_an_upload_goes_on_at_the_address_where_it_began(shell: Shell, shore: Shore, images: dict[str, str]) -> None:
    password = shell("aws", "ecr", "get-login-password").strip()
    for region in images:
        for address in shore.addresses(region):
            host, _, path = address.partition("/")
            prefix = f"/v2/{path}/cargo" if path else "/v2/cargo"
            begin = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %header{location}", "-X", "POST"]
            said = shell(*begin, "--user", f"AWS:{password}", f"http://{host}{prefix}/blobs/uploads/")
            status, _, location = said.partition(" ")
            assert status == "202"
            assert location.removeprefix(f"http://{host}").startswith(f"{prefix}/blobs/uploads/")


@pytest.mark.clients("docker", "dockerd")
def test_docker_pushes_to_a_vanity_host_and_pulls_from_the_pattern_and_in_path_style(
    crane: Shell, shore: Shore, docker_host: str
) -> None:
    docker = crane.having(DOCKER_HOST=docker_host)
    context = docker.folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    vanity, others = f"{VANITY}:{shore.port}/cargo:docker", shore.addresses(SECOND)[:2]
    docker("docker", "build", "--quiet", "-t", vanity, context)
    once_known(lambda: docker("docker", "push", vanity))
    stored = stored_image(shore.ecr(SECOND), "cargo", imageTag="docker")
    docker("docker", "image", "rm", "--force", stored.blobs[0])
    for other in others:
        docker("docker", "pull", f"{other}/cargo@{stored.digest}")
        (pulled,) = docker.json("docker", "image", "inspect", f"{other}/cargo@{stored.digest}")
        assert pulled["Id"] == stored.blobs[0]
        docker("docker", "image", "rm", "--force", stored.blobs[0])
