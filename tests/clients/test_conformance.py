"""The OCI conformance suite of Distribution 1.1, at its default settings."""

import re
import uuid
from typing import Any

import pytest

from .conftest import Repository
from .shell import Shell

pytestmark = pytest.mark.clients("aws", "conformance")


@pytest.fixture
def other_repository(ecr: Any) -> Repository:
    name = f"clients/{uuid.uuid4().hex[:12]}"
    return Repository(name, ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"])


def test_no_category_of_the_oci_conformance_suite_fails(
    shell: Shell, repository: Repository, other_repository: Repository, password: str
) -> None:
    suite = shell.having(
        OCI_REGISTRY=repository.host,
        OCI_TLS="disabled",
        OCI_REPO1=repository.name,
        OCI_REPO2=other_repository.name,
        OCI_USERNAME="AWS",
        OCI_PASSWORD=password.strip(),
        OCI_RESULTS_DIR=str(shell.folder / "results"),
    )
    said = suite("conformance")
    counts = {name: int(count) for name, count in re.findall(r"^\s+(\w+)\.+:\s+(\d+)$", said, re.MULTILINE)}
    assert (counts["FAIL"], counts["Error"]) == (0, 0), said
    assert counts["Pass"] > 800
    categories = dict(re.findall(r"^\s+(\w[\w +-]*?)\.+:\s+(Pass|FAIL|Skip|Disabled|Unknown)$", said, re.MULTILINE))
    assert len(categories) > 40
    assert "FAIL" not in categories.values()
    assert {name for name, outcome in categories.items() if outcome == "Skip"} == {"Blob anonymous mount"}
