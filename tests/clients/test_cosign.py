"""cosign: images are signed and attested with a key pair, and verified, through OCI referrers and through tags.

No transparency log takes part: what is tried is that the registry keeps and finds what belongs to an image.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Repository
from .plain_client import PlainClient, SeededImage
from .seeded import MIB
from .shell import ProgramFailed, Shell
from .stored import whole

pytestmark = pytest.mark.clients("aws", "cosign")

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KIND = "https://example.com/manifest-of-cargo/v1"
THROUGH_REFERRERS: tuple[str, ...] = ()
THROUGH_TAGS = ("--new-bundle-format=false",)
both_ways = pytest.mark.parametrize("way", [THROUGH_REFERRERS, THROUGH_TAGS], ids=["referrers", "tags"])


@dataclass(frozen=True)
class Cosign:
    """cosign with a key pair, on one image."""

    shell: Shell
    image: str

    def _put(self, verb: str, *options: str) -> None:
        key = ["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", "--yes"]
        self.shell("cosign", verb, *key, *options, self.image)

    def sign(self, *options: str) -> None:
        self._put("sign", *options)

    def attest(self, predicate: Any, *options: str) -> None:
        (self.shell.folder / "predicate.json").write_text(json.dumps(predicate))
        self._put("attest", "--predicate", "predicate.json", "--type", KIND, *options)

    def verify(self, *options: str, key: str = "cosign.pub") -> Any:
        """What cosign says of the signatures; raises ProgramFailed where none verifies."""
        return self.shell.json("cosign", "verify", "--key", key, "--insecure-ignore-tlog", *options, self.image)

    def predicate(self, *options: str) -> Any:
        """The predicate of the attestation that verifies; raises ProgramFailed where none does."""
        key = ["--key", "cosign.pub", "--insecure-ignore-tlog", "--type", KIND]
        (line,) = self.shell("cosign", "verify-attestation", *key, *options, self.image).splitlines()
        return json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"]


@pytest.fixture
def digest(repository: Repository, ecr: Any) -> str:
    client = PlainClient.logged_in(ecr, repository.host)
    return SeededImage("cargo", seed=77, sizes=(MIB,)).push(client, repository.name)


@pytest.fixture
def cosign(shell: Shell, password: str, repository: Repository, digest: str) -> Cosign:
    signer = shell.having(COSIGN_PASSWORD="of the key")
    signer("cosign", "login", repository.host, "-u", "AWS", "--password-stdin", stdin=password.strip())
    signer("cosign", "generate-key-pair")
    signer("cosign", "generate-key-pair", "--output-key-prefix", "other")
    return Cosign(signer, f"{repository.uri}@{digest}")


def tags(ecr: Any, repository: Repository) -> set[str]:
    listed = ecr.list_images(repositoryName=repository.name)["imageIds"]
    return {entry["imageTag"] for entry in listed if "imageTag" in entry}


@both_ways
def test_a_signed_image_verifies_with_its_key_and_no_other(
    cosign: Cosign, way: tuple[str, ...], repository: Repository, digest: str
) -> None:
    with pytest.raises(ProgramFailed, match=r"no (matching )?signatures"):
        cosign.verify(*way)
    cosign.sign(*way)
    (signature,) = cosign.verify(*way)
    assert signature["critical"]["image"]["docker-manifest-digest"] == digest
    with pytest.raises(ProgramFailed):
        cosign.verify(*way, key="other.pub")


@both_ways
def test_an_attestation_verifies_and_gives_its_predicate(cosign: Cosign, way: tuple[str, ...]) -> None:
    cosign.attest({"containers": 24}, *way)
    assert cosign.predicate(*way) == {"containers": 24}


def test_through_referrers_signature_and_attestation_refer_to_the_image_and_need_no_tag(
    cosign: Cosign, repository: Repository, digest: str, ecr: Any
) -> None:
    cosign.sign()
    cosign.attest({"containers": 24})
    found = ecr.list_image_referrers(repositoryName=repository.name, subjectId={"imageDigest": digest})["referrers"]
    assert [referrer["artifactType"] for referrer in found] == [BUNDLE, BUNDLE]
    for referrer in found:
        assert whole(ecr, repository.name, imageDigest=referrer["digest"]).manifest["subject"]["digest"] == digest
    assert tags(ecr, repository) == {"cargo"}
    assert cosign.shell("cosign", "tree", cosign.image).count("via OCI referrer") == len(found)


def test_through_tags_a_second_signature_joins_the_first_under_one_tag(
    cosign: Cosign, repository: Repository, digest: str, ecr: Any
) -> None:
    for berth in ("A", "B"):
        cosign.sign(*THROUGH_TAGS, "-a", f"berth={berth}")
    cosign.attest({"containers": 24}, *THROUGH_TAGS)
    assert [one["optional"] for one in cosign.verify(*THROUGH_TAGS)] == [{"berth": "A"}, {"berth": "B"}]
    tagged = digest.replace(":", "-")
    assert tags(ecr, repository) == {"cargo", f"{tagged}.sig", f"{tagged}.att"}
    assert len(whole(ecr, repository.name, imageTag=f"{tagged}.sig").manifest["layers"]) == 2


@pytest.mark.clients("oras")
@both_ways
def test_an_image_is_copied_with_its_signature(
    cosign: Cosign, way: tuple[str, ...], repository: Repository, digest: str, ecr: Any
) -> None:
    cosign.sign(*way)
    copied = f"{repository.name}/copy"
    ecr.create_repository(repositoryName=copied)
    # cosign itself copies what tags name, and sends users to oras for what refers to an image
    plain = ["--recursive", "--from-plain-http", "--to-plain-http"]
    copy = ["cosign", "copy"] if way == THROUGH_TAGS else ["oras", "copy", *plain]
    cosign.shell(*copy, cosign.image, f"{repository.uri}/copy:cargo")
    there = Cosign(cosign.shell, f"{repository.uri}/copy@{digest}")
    assert there.verify(*way)[0]["critical"]["image"]["docker-manifest-digest"] == digest
    ecr.delete_repository(repositoryName=copied, force=True)
