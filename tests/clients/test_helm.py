"""helm: a chart is pushed to the registry, shown, pulled and rendered from there."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import Repository
from .shell import ProgramFailed, Shell
from .stored import whole

pytestmark = pytest.mark.clients("aws", "helm")

PLAIN = "--plain-http"
CONFIG, CONTENT = "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cargo
data:
  harbour: {{ .Values.harbour | quote }}
  version: {{ .Chart.Version | quote }}
"""


@pytest.fixture
def helm(shell: Shell, password: str, repository: Repository) -> Shell:
    shell("helm", "registry", "login", PLAIN, "-u", "AWS", "--password-stdin", repository.host, stdin=password.strip())
    return shell


@dataclass(frozen=True)
class Charts:
    """Where charts named `cargo` are pushed to: helm appends the chart's name to the address that it is given."""

    repository: str
    parent: str

    @property
    def address(self) -> str:
        return f"{self.parent}/cargo"


@pytest.fixture
def charts(repository: Repository, ecr: Any) -> Iterator[Charts]:
    name = f"{repository.name}/cargo"
    ecr.create_repository(repositoryName=name)
    yield Charts(name, f"oci://{repository.uri}")
    ecr.delete_repository(repositoryName=name, force=True)


def packaged(helm: Shell, version: str) -> Path:
    """Write the chart `cargo` and package it."""
    chart = helm.folder / f"source-{version}/cargo"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: cargo\nversion: {version}\ndescription: what ships\n")
    (chart / "values.yaml").write_text("harbour: Hamburg\n")
    (chart / "templates/map.yaml").write_text(CONFIG_MAP)
    helm("helm", "package", chart, "-d", helm.folder)
    return helm.folder / f"cargo-{version}.tgz"


def push(helm: Shell, archive: Path, charts: Charts) -> str:
    """Push a packaged chart; answer the digest that helm tells."""
    done = helm("sh", "-ec", 'helm push --plain-http "$1" "$2" 2>&1', "push", archive, charts.parent)
    (digest,) = re.findall(r"^Digest: (sha256:[0-9a-f]{64})$", done, re.MULTILINE)
    return str(digest)


def sha256(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_chart_is_pushed_and_pulled_unchanged(helm: Shell, charts: Charts, ecr: Any) -> None:
    archive = packaged(helm, "1.2.3")
    digest = push(helm, archive, charts)
    stored = whole(ecr, charts.repository, imageTag="1.2.3")
    assert stored.digest == digest
    assert stored.manifest["config"]["mediaType"] == CONFIG
    (layer,) = stored.manifest["layers"]
    assert (layer["mediaType"], layer["digest"]) == (CONTENT, sha256(archive))
    (detail,) = ecr.describe_images(repositoryName=charts.repository)["imageDetails"]
    assert detail["artifactMediaType"] == CONFIG

    for name, reference in {
        "by-tag": [charts.address, "--version", "1.2.3"],
        "by-digest": [f"{charts.address}@{digest}"],
    }.items():
        (helm.folder / name).mkdir()
        helm("helm", "pull", PLAIN, *reference, "-d", helm.folder / name)
        (pulled,) = (helm.folder / name).iterdir()
        assert sha256(pulled) == sha256(archive)


def test_a_chart_is_shown_and_rendered_from_the_registry(helm: Shell, charts: Charts) -> None:
    push(helm, packaged(helm, "1.2.3"), charts)
    chart = [charts.address, PLAIN, "--version", "1.2.3"]
    assert "description: what ships" in helm("helm", "show", "chart", *chart)
    assert helm("helm", "show", "values", *chart).strip() == "harbour: Hamburg"
    rendered = helm("helm", "template", "bark", *chart, "--set", "harbour=Bremen")
    assert "name: bark-cargo" in rendered
    assert 'harbour: "Bremen"' in rendered
    assert 'version: "1.2.3"' in rendered


def test_the_newest_version_in_a_range_is_found_by_the_list_of_tags(helm: Shell, charts: Charts) -> None:
    for version in ("1.2.3", "1.10.0", "2.0.0"):
        push(helm, packaged(helm, version), charts)
    assert "version: 1.10.0" in helm("helm", "show", "chart", PLAIN, charts.address, "--version", "^1.2")
    assert "version: 2.0.0" in helm("helm", "show", "chart", PLAIN, charts.address)
    with pytest.raises(ProgramFailed):
        helm("helm", "show", "chart", PLAIN, charts.address, "--version", "3.0.0")
