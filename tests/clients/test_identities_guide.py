"""docs/identities.md, pasted block by block, and its Terraform applied: by Docker as everybody whom it makes."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.absences import absent
from tests.berth_process import BERTH, BerthProcess, starting_berth
from tests.oidc_server import OidcServer

from .conftest import HERE, client_of
from .shell import ProgramFailed, Shell
from .test_credential_chains import serving

pytestmark = pytest.mark.clients("aws", "docker", "dockerd")

GUIDE = (HERE.parents[1] / "docs/identities.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.example.com"
DENIED = "# denied\n"
# Where this machine keeps Terraform's providers.
PROVIDERS = {name: os.environ[name] for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR") if name in os.environ}
OTHER_ACCOUNT = "210987654321"
# As GitHub and GitLab say it, of a job on the main branch.
GITHUB_JOB = {"sub": "repo:octo-org/octo-repo:ref:refs/heads/main", "aud": "sts.amazonaws.com"}
GITLAB_JOB = {"sub": "project_path:harbour/ship:ref_type:branch:ref:main", "aud": f"https://{GITLAB}"}


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcServer]:
    with tempfile.TemporaryDirectory(prefix="berth-oidc-") as folder, serving(Path(folder)) as server:
        yield server


@pytest.fixture
def berth(provider: OidcServer, scratch: Path) -> Iterator[BerthProcess]:
    """A new one, which may ask the provider for its keys."""
    variables = {"BERTH_ALLOWED_NETWORKS": "127.0.0.0/8,::1", "BERTH_OUTGOING_CA": str(provider.authority)}
    with starting_berth(scratch / "data", **variables) as berth:
        yield berth


@pytest.fixture
def shell(berth: BerthProcess, scratch: Path, docker_host: str) -> Shell:
    """A terminal where nothing was said yet; Berth's own settings are those that it runs with."""
    (scratch / "work").mkdir()
    fresh = Shell.isolated(scratch / "work", berth.environment | {"HOME": str(scratch / "work")})
    # The files of a user's home, as the guide writes them.
    home = {"AWS_CONFIG_FILE": "work/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "work/.aws/credentials"}
    files = {name: str(scratch / path) for name, path in home.items()}
    path = f"{BERTH.parent}:{fresh.environment['PATH']}"
    return fresh.having(PATH=path, DOCKER_HOST=docker_host, **files)


def blocks(language: str, replaced: dict[str, str]) -> list[str]:
    """Those of the guide, with the test's own addresses in place of the guide's."""
    found = [text for name, text in BLOCK.findall(GUIDE) if name == language]
    for old, new in replaced.items():
        assert any(old in text for text in found)
        found = [text.replace(old, new) for text in found]
    return found


def script(texts: list[str]) -> str:
    """All of them in one terminal. What the guide says is denied must fail; what it says then is printed."""
    lines = ["set -eo pipefail"]
    for text in texts:
        if text.startswith(DENIED):
            lines.append(f"if ( set -e\n{text}) > denied 2>&1; then exit 9; fi\nset -e\ncat denied")
        else:
            lines.append(text)
    return "\n".join(lines)


def test_the_guide_can_be_pasted(berth: BerthProcess, provider: OidcServer, shell: Shell) -> None:
    pasted = blocks("sh", {"localhost:5500": berth.registry_host, GITHUB: provider.host})
    (shell.folder / "job.token").write_text(provider.token(GITHUB_JOB))
    said = shell("bash", stdin=script(pasted))

    names = ("user/puller", "assumed-role/pusher/", "assumed-role/job/job-7", f"{OTHER_ACCOUNT}:root")
    assert [name for name in names if name not in said] == []
    account = "arn:aws:iam::000000000000"
    assert f"denied: User: {account}:user/puller is not authorized to perform: ecr:PutImage" in said
    assert "not allowed: User: " in said
    other = f"denied: User: arn:aws:iam::{OTHER_ACCOUNT}:root is not authorized to perform: ecr:"
    assert [text.partition(" ")[0] for text in said.split(other)[1:]] == ["PutImage", "BatchGetImage"]
    assert said.rstrip().endswith("with an explicit deny in a service control policy")
    ecr = client_of(berth.exports())
    images = ecr.describe_images(repositoryName="team/app")["imageDetails"]
    ecr.close()
    assert sorted(tag for image in images for tag in image["imageTags"]) == ["job-7", "v1", "v2"]


@pytest.mark.clients("terraform", "crane")
def test_terraform_builds_it_from_nothing(berth: BerthProcess, provider: OidcServer, shell: Shell) -> None:
    (text,) = blocks("hcl", {GITLAB: provider.host})
    (shell.folder / "main.tf").write_text(text)
    root = shell.having(**berth.exports(), **PROVIDERS, CHECKPOINT_DISABLE="1")
    try:
        root("terraform", "init")
    except ProgramFailed as failure:
        absent(f"Terraform cannot get the AWS provider: {failure}")
    # That it has nothing to change then is seen elsewhere: the provider takes the URL for another where it has a port.
    root("terraform", "apply", "-auto-approve")

    uri = f"{berth.registry_host}/harbour/app:main"
    (shell.folder / "token").write_text(provider.token({**GITLAB_JOB, "aud": f"https://{provider.host}"}))
    endpoints = {name: value for name, value in berth.exports().items() if "ACCESS_KEY" not in name}
    role = {
        "AWS_ROLE_ARN": root("terraform", "output", "-raw", "role"),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(shell.folder / "token"),
    }
    job = shell.having(**endpoints, **role)
    log_in = f"aws ecr get-login-password | docker login --username AWS --password-stdin {berth.registry_host}"
    job("sh", "-ec", log_in)
    (shell.folder / "file").write_text("a layer")
    job("tar", "-cf", "layer.tar", "file")
    job("crane", "append", "--oci-empty-base", "-f", "layer.tar", "-t", uri)

    assert berth.run("account", "create", OTHER_ACCOUNT).returncode == 0
    (shell.folder / "other").mkdir()
    other = shell.having(DOCKER_CONFIG=str(shell.folder / "other"))
    other("sh", "-ec", f'eval "$(berth env --account {OTHER_ACCOUNT})" && {log_in}')
    assert "Downloaded newer image" in other("docker", "pull", uri)
    other("docker", "image", "rm", "--force", uri)
    root("terraform", "destroy", "-auto-approve", status=1)
    root("aws", "ecr", "batch-delete-image", "--repository-name", "harbour/app", "--image-ids", "imageTag=main")
    root("terraform", "destroy", "-auto-approve")
