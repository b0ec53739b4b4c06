"""The OCI conformance suite, with every category switched on: those of Distribution 1.1 and what comes after it."""

import re
import uuid
from typing import Any

import pytest

from .conftest import Repository
from .shell import Shell

pytestmark = pytest.mark.clients("aws", "conformance")

# Whatever the suite can be asked to test. ECR takes no sparse index (an image that it names is not there), nor does
# Berth: that is the one category left off; tests/integration/dataplane/test_ecr_face.py says what is answered.
SETTINGS = {
    "OCI_VERSION": "1.1+dev",
    "OCI_API_PING": "true",
    "OCI_API_PULL": "true",
    "OCI_API_PUSH": "true",
    "OCI_API_BLOBS_ATOMIC": "true",
    "OCI_API_BLOBS_DELETE": "true",
    "OCI_API_BLOBS_DIGEST_HEADER": "true",
    "OCI_API_BLOBS_MOUNT_ANONYMOUS": "true",
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
    "OCI_API_MANIFESTS_ATOMIC": "true",
    "OCI_API_MANIFESTS_DELETE": "true",
    "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
    "OCI_API_MANIFESTS_TAG_PARAM": "true",
    "OCI_API_TAGS_ATOMIC": "true",
    "OCI_API_TAGS_DELETE": "true",
    "OCI_API_TAGS_LIST": "true",
    "OCI_API_REFERRER": "true",
    "OCI_DATA_SHA512": "true",
    "OCI_DATA_SPARSE": "false",
}


# Its categories, all 51 of them that are on, by the names in its report.
APIS = {
    "Blob anonymous mount",
    "Blob chunked",
    "Blob delete",
    "Blob delete atomic",
    "Blob get",
    "Blob get range",
    "Blob head",
    "Blob mount",
    "Blob post only",
    "Blob post put",
    "Blob push",
    "Blob streaming",
    "Blob upload cancel",
    "Manifest delete",
    "Manifest delete atomic",
    "Manifest get by digest",
    "Manifest get by tag",
    "Manifest head by digest",
    "Manifest head by tag",
    "Manifest put by digest",
    "Manifest put by tag",
    "Manifest put with subject",
    "Manifest put with tag params",
    "Ping",
    "Referrers",
    "Tag delete",
    "Tag delete atomic",
    "Tag listing",
}
DATA = {
    "Artifact",
    "Artifact Index",
    "Artifact without Layers",
    "Artifacts with Subject",
    "Bad Digest Image",
    "Blobs sha256",
    "Blobs sha512",
    "Custom Fields",
    "Data Field",
    "Digest Algorithm sha512",
    "Empty Index",
    "Image",
    "Image Uncompressed",
    "Image with Large Manifest",
    "Index",
    "Index with Subject",
    "Invalid Manifest Digest",
    "Missing Subject",
    "Nested Index",
    "No Layers",
    "Non-distributable Layers",
    "Tag Param",
    "Tag Param sha512",
}
OFF = {"Sparse Manifests"}


@pytest.fixture
def other_repository(ecr: Any) -> Repository:
    name = f"clients/{uuid.uuid4().hex[:12]}"
    return Repository(name, ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"])


def test_every_category_of_the_oci_conformance_suite_passes(
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
        **SETTINGS,
    )
    said = suite("conformance")
    counts = {name: int(count) for name, count in re.findall(r"^\s+(\w+)\.+:\s+(\d+)$", said, re.MULTILINE)}
    not_passed = {name: count for name, count in counts.items() if name not in {"Pass", "Total"}}
    assert not_passed == dict.fromkeys(("Disabled", "Skip", "FAIL", "Error"), 0), said
    assert counts["Pass"] > 950
    categories = dict(re.findall(r"^\s+(\w[\w +-]*?)\.+:\s+(Pass|FAIL|Skip|Disabled|Unknown)$", said, re.MULTILINE))
    assert categories == dict.fromkeys(APIS | DATA, "Pass") | dict.fromkeys(OFF, "Disabled"), said
    assert len(APIS | DATA) == 51
