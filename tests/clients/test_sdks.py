"""The AWS SDKs for Go, Java and JavaScript, each on one flow from the first repository to the last.

The programs are in `sdk/`; each prints what Berth told it. They get what `berth env` exports and no other setting.
"""

import hashlib
import json
import time
import uuid
from typing import Any

import pytest

from tests.berth_process import BerthProcess

from . import sdk_programs
from .sdk_programs import GO, JAVA, JAVASCRIPT, Language
from .seeded import write_seeded
from .shell import Shell

ACCOUNT = "000000000000"
PART = 10 * 1024 * 1024  # what InitiateLayerUpload asks for
LAYER = PART + 4321


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(GO, id="go", marks=pytest.mark.clients("go")),
        pytest.param(JAVA, id="java", marks=pytest.mark.clients("java", "javac", "mvn")),
        pytest.param(JAVASCRIPT, id="javascript", marks=pytest.mark.clients("node", "npm")),
    ],
)
def test_a_program_of_an_sdk_lives_with_a_repository_to_its_end(
    language: Language, shell: Shell, running_berth: BerthProcess, ecr: Any
) -> None:
    program = sdk_programs.command(language)
    layer = write_seeded(shell.folder / "layer", seed=3, size=LAYER)
    name = f"sdk/{language.name}-{uuid.uuid4().hex[:12]}"
    started = int(time.time())
    told = shell.json(*program, name, layer)

    manifests = told.pop("manifests")
    images = [digest_of(manifest.encode()) for manifest in manifests]
    assert started - 1 <= told.pop("createdAt") <= time.time() + 1
    assert json.loads(told.pop("lifecyclePolicy"))["rules"][0]["selection"]["countNumber"] == 2
    assert told.pop("refusals") == refusals(name)
    assert len(images) == len(set(images)) == 5
    assert told == {
        "uri": f"{running_berth.registry_host}/{name}",
        "arn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}",
        "lastValidByteReceived": PART - 1,
        "layer": digest_of(layer.read_bytes()),
        "images": images,
        "pages": [2, 2, 1],
        "described": sorted(images),
        "got": manifests[3],
        "failure": "ImageNotFound",
        "downloaded": digest_of(layer.read_bytes()),
        "user": "AWS",
        "statusWithoutPassword": 401,
        "status": 200,
        "pulled": manifests[3],
        "preview": "COMPLETE",
        "wouldExpire": 3,
        "tags": {"cost centre": "42"},
    }
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.describe_repositories(repositoryNames=[name])


def refusals(name: str) -> dict[str, str]:
    """What each error says that the programs catch by its class."""
    registry = f"in the registry with id '{ACCOUNT}'"
    return {
        "RepositoryAlreadyExistsException": f"The repository with name '{name}' already exists {registry}",
        "InvalidLayerPartException": "The first byte of the part is not consecutive to the last byte of the part "
        "before it",
        "ImageTagAlreadyExistsException": f"The image tag 'v0' already exists in the '{name}' repository and cannot be "
        "overwritten because the tag is immutable.",
        "LifecyclePolicyNotFoundException": f"Lifecycle policy does not exist for the repository with name '{name}' "
        f"{registry}",
        "RepositoryNotEmptyException": f"The repository with name '{name}' in registry with id '{ACCOUNT}' cannot be "
        "deleted because it still contains images",
        "RepositoryNotFoundException": f"The repository with name '{name}' does not exist {registry}",
    }


def digest_of(content: bytes) -> str:
    """The digest as ECR writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
