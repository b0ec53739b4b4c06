"""What runs on machines at AWS runs against Berth at Amazon's own hosts: ECR's credential helpers, over TLS."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import engines, layouts, tls_readers
from .amazon_hosts import REGIONS, Amazon, amazon, host, use_credential_helper
from .conftest import Repository
from .hosts_file import once_known
from .shell import ProgramFailed, Shell
from .small import small_layout
from .stored import stored_image, whole

HOME, ABROAD = REGIONS


@pytest.fixture(scope="module")
def berth() -> Iterator[Amazon]:
    with amazon() as running:
        yield running


@pytest.fixture
def exports(berth: Amazon) -> dict[str, str]:
    return berth.exports


@pytest.fixture
def go(shell: Shell, berth: Amazon) -> Shell:
    """Open a shell where the programs written in Go trust the private CA, as on a machine whose bundle has it."""
    return shell.having(SSL_CERT_FILE=str(berth.issued.authority))


@pytest.fixture
def layout(scratch: Path) -> layouts.Layout:
    return small_layout(scratch)


@pytest.fixture
def pushed(go: Shell, repository: Repository, layout: layouts.Layout) -> str:
    """Push the layout, with the credential helper; answer its reference."""
    use_credential_helper(go)
    go("crane", "push", "--index", layout.folder, f"{repository.uri}:outer")
    go("crane", "tag", f"{repository.uri}@{layout.index}", "both")
    return f"{repository.uri}:both"


@pytest.fixture
def abroad(berth: Amazon) -> Iterator[Repository]:
    """Create a repository of the same name in the other region."""
    ecr = berth.ecr(ABROAD)
    uri = ecr.create_repository(repositoryName="cargo")["repository"]["repositoryUri"]
    assert uri == f"{host(ABROAD)}/cargo"
    yield Repository("cargo", uri)
    ecr.delete_repository(repositoryName="cargo", force=True)


@pytest.mark.clients("docker-credential-ecr-login")
def test_ecrs_credential_helper_gets_a_password_for_the_registry_of_a_host(go: Shell, ecr: Any) -> None:
    for region in REGIONS:
        got = go.json("docker-credential-ecr-login", "get", stdin=host(region))
        assert (got["ServerURL"], got["Username"]) == (host(region), "AWS")
        assert got["Secret"]
    with pytest.raises(ProgramFailed, match="credentials not found"):
        go("docker-credential-ecr-login", "get", stdin="images.example.test")


@pytest.mark.clients("crane", "docker-credential-ecr-login")
def test_with_the_helper_an_image_is_pushed_and_copied_to_another_region_without_a_login(
    go: Shell, repository: Repository, abroad: Repository, layout: layouts.Layout, berth: Amazon, ecr: Any
) -> None:
    use_credential_helper(go)
    assert repository.uri == f"{host(HOME)}/{repository.name}"
    go("crane", "push", "--index", layout.folder, f"{repository.uri}:outer")
    pushed = f"{repository.uri}@{layout.index}"
    assert go("crane", "manifest", pushed) == layout.text(layout.index)
    go("crane", "copy", pushed, f"{abroad.uri}:both")
    assert stored_image(berth.ecr(ABROAD), abroad.name, imageTag="both").digest == layout.index
    for digest in layout.images.values():
        whole(berth.ecr(ABROAD), abroad.name, imageDigest=digest)


@pytest.mark.clients("docker", "dockerd", "docker-credential-ecr-login")
def test_with_the_helper_docker_pushes_and_pulls_without_a_login(
    go: Shell, repository: Repository, docker_host: str, ecr: Any
) -> None:
    use_credential_helper(go)
    docker, tagged = go.having(DOCKER_HOST=docker_host), f"{repository.uri}:docker"
    context = docker.folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    docker("docker", "build", "--quiet", "-t", tagged, context)
    once_known(lambda: docker("docker", "push", tagged))
    stored = whole(ecr, repository.name, imageTag="docker")
    docker("docker", "image", "rm", "--force", stored.blobs[0])
    docker("docker", "pull", f"{repository.uri}@{stored.digest}")
    (pulled,) = docker.json("docker", "image", "inspect", f"{repository.uri}@{stored.digest}")
    assert pulled["Id"] == stored.blobs[0]
    docker("docker", "image", "rm", "--force", stored.blobs[0])


def provided(go: Shell, image: str) -> Any:
    """Ask the kubelet's credential provider as a kubelet does: a request on its input, an answer on its output."""
    request = {"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest"}
    answer = go.json("ecr-credential-provider", stdin=json.dumps(request | {"image": image}))
    assert answer["kind"] == "CredentialProviderResponse"
    assert answer["cacheKeyType"] == "Registry"
    return answer


@pytest.mark.clients("ecr-credential-provider", "crictl", "containerd", "ctr", "crane")
def test_a_node_pulls_with_what_the_kubelets_credential_provider_answers(
    go: Shell, pushed: str, layout: layouts.Layout, berth: Amazon
) -> None:
    answer = provided(go, pushed)
    assert set(answer["auth"]) == {host(HOME)}
    given = answer["auth"][host(HOME)]
    assert given["username"] == "AWS"
    # the provider lets the kubelet keep a password for half of the twelve hours that it is good for
    assert answer["cacheDuration"].startswith(("6h0m", "5h59m"))

    with engines.containerd_of_a_node() as (address, hosts):
        (hosts / host(HOME)).mkdir()
        server = f'server = "https://{host(HOME)}"\nca = "{berth.issued.authority}"\n'
        (hosts / host(HOME) / "hosts.toml").write_text(server)
        crictl = ("crictl", "--image-endpoint", f"unix://{address}", "--runtime-endpoint", f"unix://{address}")
        with pytest.raises(ProgramFailed, match="401 Unauthorized"):
            go(*crictl, "pull", pushed)
        go(*crictl, "pull", "--creds", f"{given['username']}:{given['password']}", pushed)
        (image,) = go.json(*crictl, "images", "--output", "json")["images"]
        assert image["repoDigests"] == [f"{pushed.removesuffix(':both')}@{layout.index}"]
        manifest = json.loads(layout.text(layout.images["amd64"]))
        assert image["id"] == manifest["config"]["digest"]
        # containerd hashes what comes
        content = go("ctr", "--address", address, "--namespace", "k8s.io", "content", "ls", "--quiet").split()
        assert {layout.images["amd64"], *(layer["digest"] for layer in manifest["layers"])} <= set(content)


@pytest.mark.clients("ecr-credential-provider", "curl")
def test_the_credential_provider_answers_for_the_region_that_the_image_names(go: Shell, abroad: Repository) -> None:
    given = provided(go, f"{abroad.uri}:v1")["auth"][host(ABROAD)]
    basic = base64.b64encode(f"{given['username']}:{given['password']}".encode()).decode()
    curl = ["curl", "-sS", "--fail", "--cacert", go.environment["SSL_CERT_FILE"]]
    authorized = ["-H", f"Authorization: Basic {basic}"]
    assert go.json(*curl, *authorized, f"https://{host(ABROAD)}/v2/{abroad.name}/tags/list")["name"] == abroad.name


@pytest.mark.parametrize(
    "reader",
    [pytest.param(one, id=one.__name__, marks=pytest.mark.clients(one.__name__)) for one in tls_readers.READERS],
)
@pytest.mark.clients("docker-credential-ecr-login", "crane")
def test_a_client_reads_an_image_once_it_trusts_the_private_ca(
    reader: tls_readers.Reader, shell: Shell, berth: Amazon, pushed: str, layout: layouts.Layout
) -> None:
    with pytest.raises(ProgramFailed, match="certificate signed by unknown authority"):
        reader(shell, pushed, None)
    assert reader(shell, pushed, berth.issued.authority).strip() == layout.index
