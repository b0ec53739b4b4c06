"""What clients make of `429 TOOMANYREQUESTS` with `Retry-After`, and of ThrottlingException: as they do at ECR.

Each asks at once after the bucket of its operation was emptied. Where it found a token nevertheless, on a slow machine,
it asks again.
"""

import base64
import contextlib
import http.client
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.berth_process import BerthProcess, starting_berth

from .conftest import client_of
from .shell import ProgramFailed, Shell

pytestmark = pytest.mark.clients("aws", "crane")

# Of both, in requests a second: five at once, then one every two seconds.
RATES = '{"BatchGetImage": 0.5, "PutImage": 0.5}'
ATTEMPTS = 10
SAID = "toomanyrequests: Rate exceeded"


@pytest.fixture(scope="module")
def throttled() -> Iterator[BerthProcess]:
    with (
        tempfile.TemporaryDirectory(prefix="berth-throttled-") as folder,
        starting_berth(Path(folder) / "data", BERTH_THROTTLING_RATES=RATES) as berth,
    ):
        yield berth


class Throttled:
    """A shell that is logged in where an image lies at `uri`, and the bucket of an operation."""

    def __init__(self, shell: Shell, uri: str, password: str) -> None:
        self.shell = shell
        self.uri = uri
        self.password = password
        self._authorization = f"Basic {base64.b64encode(f'AWS:{password}'.encode()).decode()}"

    def exhaust(self, method: str) -> None:
        """Ask for the manifest, or push none, until it is too much."""
        host, _, rest = self.uri.partition("/")
        path = f"/v2/{rest.replace(':', '/manifests/')}"
        with contextlib.closing(http.client.HTTPConnection(host, timeout=30)) as connection:
            for _ in range(100):
                connection.request(method, path, headers={"Authorization": self._authorization})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 429:
                    assert int(answer.headers["Retry-After"]) >= 1
                    assert body == b'{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}'
                    return
        raise AssertionError(f"it never was too much: {answer.status} {body!r}")

    def refusal(self, method: str, *command: str) -> str:
        """What the command says that fails for it."""
        for _ in range(ATTEMPTS):
            self.exhaust(method)
            try:
                self.shell(*command)
            except ProgramFailed as failed:
                return str(failed)
        raise AssertionError(f"{command} was never refused")

    def patience(self, method: str, command: str, waiting: str) -> None:
        """The command says that it waits, and comes to its end."""
        for _ in range(ATTEMPTS):
            self.exhaust(method)
            if waiting in self.shell("sh", "-ec", f"{command} 2>&1"):
                return
        raise AssertionError(f"{command} never said {waiting!r}")


@pytest.fixture
def scene(throttled: BerthProcess, scratch: Path) -> Throttled:
    exports = throttled.exports()
    ecr = client_of(exports)
    names = [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]]
    if "app" not in names:
        ecr.create_repository(repositoryName="app")
    ecr.close()
    shell = Shell.isolated(scratch, exports)
    password, host = shell("aws", "ecr", "get-login-password").strip(), throttled.registry_host
    shell("crane", "auth", "login", host, "-u", "AWS", "--password-stdin", stdin=password)
    (scratch / "file").write_text("a layer")
    shell("tar", "-cf", "layer.tar", "file")
    # crane tries again by itself, four times.
    shell("crane", "append", "--oci-empty-base", "-f", "layer.tar", "-t", f"{host}/app:v1")
    return Throttled(shell, f"{host}/app:v1", password)


def test_crane_says_so_and_tries_again(scene: Throttled) -> None:
    scene.patience("GET", f"crane manifest {scene.uri}", "retrying GET")


@pytest.mark.clients("skopeo")
def test_skopeo_waits_for_as_long_as_it_is_told(scene: Throttled) -> None:
    command = f"skopeo --debug inspect --raw --tls-verify=false docker://{scene.uri}"
    login = ("skopeo", "login", "--tls-verify=false", "-u", "AWS", "--password-stdin", scene.uri.partition("/")[0])
    scene.shell(*login, stdin=scene.password)
    scene.patience("GET", command, "Detected 'Retry-After' header")


@pytest.mark.clients("docker", "dockerd")
def test_docker_reports_it_pulling_and_pushing(scene: Throttled, docker_host: str) -> None:
    scene.shell = scene.shell.having(DOCKER_HOST=docker_host)
    assert SAID in scene.refusal("GET", "docker", "pull", scene.uri)
    scene.shell("crane", "pull", scene.uri, "image.tar")
    scene.shell("docker", "load", "--input", "image.tar")
    assert SAID in scene.refusal("PUT", "docker", "push", scene.uri)
    scene.shell("docker", "image", "rm", "--force", scene.uri)


@pytest.mark.clients("docker", "moby-dockerd")
def test_docker_on_containerd_reports_it(scene: Throttled, containerd_store_host: str) -> None:
    scene.shell = scene.shell.having(DOCKER_HOST=containerd_store_host)
    assert "429 Too Many Requests" in scene.refusal("GET", "docker", "pull", scene.uri)


def test_the_aws_cli_counts_for_the_same_and_tries_again(scene: Throttled) -> None:
    command = ("aws", "ecr", "batch-get-image", "--repository-name", "app", "--image-ids", "imageTag=v1")
    once, patient = (scene.shell.having(AWS_RETRY_MODE="standard", AWS_MAX_ATTEMPTS=each) for each in ("1", "8"))
    scene.shell = once
    assert "ThrottlingException" in scene.refusal("GET", *command)
    scene.exhaust("GET")
    assert patient.json(*command)["images"]
