"""PutImage: what comes of a put, by what the repository holds already and what the request says."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from berth.images.manifests import DOCKER_LIST, DOCKER_MANIFEST
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import (
    CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Pushed,
    digest_of,
    index_of,
    manifest_of,
    push_image,
    push_layer,
)

NAME = {"repositoryName": "team/app"}
ABSENT = "sha256:" + "a" * 64
LARGEST = 4 * 1024 * 1024
MUTABLE, IMMUTABLE = "MUTABLE", "IMMUTABLE"
EXCLUDING = {"IMMUTABLE_WITH_EXCLUSION": "dev*", "MUTABLE_WITH_EXCLUSION": "prod*"}
IMAGE_EXISTS, TAG_EXISTS = "ImageAlreadyExistsException", "ImageTagAlreadyExistsException"


@dataclass(frozen=True)
class Held:
    """A repository with an image of the tags `v1`, `dev1` and `prod1`, and the layers of another image."""

    image: str
    other: str


@pytest.fixture
async def held(api: Api) -> Held:
    await api.create_repository(**NAME)
    image = await push_image(api, "team/app", "v1", "dev1", "prod1")
    for content in (b"{}", b"other"):
        await push_layer(api, "team/app", content)
    return Held(image.manifest, manifest_of(b"{}", [b"other"]))


@pytest.mark.parametrize(
    ("mode", "manifest", "tag", "outcome"),
    [
        # A new image is put, under no tag or a new one or one that moves.
        (MUTABLE, "other", None, "put"),
        (MUTABLE, "other", "v2", "put"),
        (MUTABLE, "other", "v1", "put"),
        # The same image again changes nothing, unless its tag is new.
        (MUTABLE, "image", None, IMAGE_EXISTS),
        (MUTABLE, "image", "v1", IMAGE_EXISTS),
        (MUTABLE, "image", "v2", "put"),
        # An immutable tag stays where it is, and is not put there again either.
        (IMMUTABLE, "other", None, "put"),
        (IMMUTABLE, "other", "v2", "put"),
        (IMMUTABLE, "other", "v1", TAG_EXISTS),
        (IMMUTABLE, "image", None, IMAGE_EXISTS),
        (IMMUTABLE, "image", "v1", TAG_EXISTS),
        (IMMUTABLE, "image", "v2", "put"),
        # What the filters exclude is the other way round.
        ("IMMUTABLE_WITH_EXCLUSION", "other", "dev1", "put"),
        ("IMMUTABLE_WITH_EXCLUSION", "image", "dev1", IMAGE_EXISTS),
        ("IMMUTABLE_WITH_EXCLUSION", "other", "v1", TAG_EXISTS),
        ("IMMUTABLE_WITH_EXCLUSION", "image", "v1", TAG_EXISTS),
        ("MUTABLE_WITH_EXCLUSION", "other", "prod1", TAG_EXISTS),
        ("MUTABLE_WITH_EXCLUSION", "image", "prod1", TAG_EXISTS),
        ("MUTABLE_WITH_EXCLUSION", "other", "prod2", "put"),
        ("MUTABLE_WITH_EXCLUSION", "other", "v1", "put"),
        ("MUTABLE_WITH_EXCLUSION", "image", "v1", IMAGE_EXISTS),
    ],
)
async def test_what_comes_of_a_put(
    api: Api, registry: Registry, held: Held, mode: str, manifest: str, tag: str | None, outcome: str
) -> None:
    filters = [{"filterType": "WILDCARD", "filter": EXCLUDING[mode]}] if mode in EXCLUDING else []
    exclusions = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    await api.put_image_tag_mutability(**NAME, imageTagMutability=mode, **exclusions)
    before = await images_by_tag(api)
    content = getattr(held, manifest)
    digest = digest_of(content.encode())
    given = {**NAME, "imageManifest": content}
    given |= {"imageTag": tag} if tag else {}
    if outcome == "put":
        image_id = {"imageDigest": digest, **({"imageTag": tag} if tag else {})}
        assert (await api.put_image(**given))["image"] == {
            "registryId": registry.account,
            "repositoryName": "team/app",
            "imageId": image_id,
            "imageManifest": content,
            "imageManifestMediaType": OCI_MANIFEST,
        }
        assert await images_by_tag(api) == before | ({tag: digest} if tag else {})
        assert digest in {image["imageDigest"] for image in (await api.list_images(**NAME))["imageIds"]}
        return
    refusal = await api.refused("put_image", **given)
    assert (refusal.code, refusal.status) == (outcome, 400)
    assert (
        refusal.message
        == {
            IMAGE_EXISTS: f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository "
            f"with name 'team/app' in registry with id '{registry.account}'",
            TAG_EXISTS: f"The image tag '{tag}' already exists in the 'team/app' repository "
            "and cannot be overwritten because the tag is immutable.",
        }[outcome]
    )
    assert await images_by_tag(api) == before


async def images_by_tag(api: Api) -> dict[str, str]:
    listed = await api.list_images(**NAME, filter={"tagStatus": "TAGGED"})
    return {image["imageTag"]: image["imageDigest"] for image in listed["imageIds"]}


@pytest.mark.parametrize(
    ("own", "given", "outcome"),
    [
        (OCI_MANIFEST, None, OCI_MANIFEST),
        (DOCKER_MANIFEST, None, DOCKER_MANIFEST),
        (OCI_MANIFEST, OCI_MANIFEST, OCI_MANIFEST),
        (None, OCI_MANIFEST, OCI_MANIFEST),
        (None, DOCKER_MANIFEST, DOCKER_MANIFEST),
        # ECR API reference, "PutImage": one of both must tell it.
        (None, None, "Invalid JSON syntax"),
        (OCI_MANIFEST, DOCKER_MANIFEST, "media type"),
        (OCI_MANIFEST, OCI_INDEX, "media type"),
        (None, OCI_INDEX, "'manifests' is missing"),
        (None, "application/json", "media type"),
        ("application/json", None, "media type"),
        (OCI_INDEX, None, "'manifests' is missing"),
        (7, None, "'mediaType' must be a string"),
    ],
)
async def test_the_media_type_is_told_by_the_manifest_or_by_the_request(
    api: Api, held: Held, own: Any, given: str | None, outcome: str
) -> None:
    document = json.loads(held.other)
    del document["mediaType"]
    manifest = json.dumps(document if own is None else {**document, "mediaType": own})
    members = {**NAME, "imageManifest": manifest, **({"imageManifestMediaType": given} if given else {})}
    if outcome in (OCI_MANIFEST, DOCKER_MANIFEST):
        assert (await api.put_image(**members))["image"]["imageManifestMediaType"] == outcome
        return
    refusal = await api.refused("put_image", **members)
    assert refusal.code == "InvalidParameterException"
    assert refusal.message.startswith("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '")
    assert outcome in refusal.message


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
async def test_an_index_needs_its_images_and_weighs_what_the_largest_does(
    api: Api, registry: Registry, held: Held, media_type: str
) -> None:
    small = await push_image(api, "team/app", seed="s")
    large = await push_image(api, "team/app", seed="a larger one")
    missing = index_of(small, Pushed("{}", ABSENT, 1))
    refusal = await api.refused("put_image", **NAME, imageManifest=missing)
    assert refusal.code == "ReferencedImagesNotFoundException"
    assert refusal.message == (
        f"Images with digests '[{ABSENT}]' required for pushing image into repository with name 'team/app' "
        f"in the registry with id '{registry.account}' do not exist"
    )
    document = {**json.loads(index_of(small, large)), "mediaType": media_type}
    put = await api.put_image(**NAME, imageManifest=json.dumps(document), imageTag="all")
    (detail,) = (await api.describe_images(**NAME, imageIds=[put["image"]["imageId"]]))["imageDetails"]
    assert detail["imageSizeInBytes"] == large.size > small.size
    assert detail["imageManifestMediaType"] == media_type
    assert "artifactMediaType" not in detail


async def test_an_image_needs_its_config_and_layers(api: Api, registry: Registry, held: Held) -> None:
    config, layer = digest_of(b"no config"), digest_of(b"no layer")
    refusal = await api.refused("put_image", **NAME, imageManifest=manifest_of(b"no config", [b"other", b"no layer"]))
    assert refusal.code == "LayersNotFoundException"
    assert refusal.message == (
        f"Layers with digests '[{config}, {layer}]' required for pushing image into repository with name 'team/app' "
        f"in the registry with id '{registry.account}' do not exist"
    )


async def test_what_a_client_fetches_from_elsewhere_need_not_be_there(api: Api, held: Held) -> None:
    document = json.loads(held.other)
    document["layers"].append(
        {
            "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "digest": ABSENT,
            "size": 10**9,
            "urls": ["https://example.com/layer"],
        }
    )
    put = await api.put_image(**NAME, imageManifest=json.dumps(document))
    (detail,) = (await api.describe_images(**NAME, imageIds=[put["image"]["imageId"]]))["imageDetails"]
    assert detail["imageSizeInBytes"] == len(b"{}") + len(b"other")


@pytest.mark.parametrize(
    ("more", "artifact"),
    [
        ({}, CONFIG),
        ({"artifactType": "application/vnd.example.sbom"}, "application/vnd.example.sbom"),
        ({"artifactType": "", "annotations": {"a": "b"}}, CONFIG),
        (
            {"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"}},
            "application/vnd.cncf.helm.config.v1+json",
        ),
    ],
)
async def test_an_artifact_is_of_the_type_it_says_or_of_that_of_its_config(
    api: Api, held: Held, more: dict[str, Any], artifact: str
) -> None:
    document = json.loads(held.other)
    more = {**more, "config": {**document["config"], **more.get("config", {})}}
    put = await api.put_image(**NAME, imageManifest=json.dumps({**document, **more}), imageTag="artifact")
    (detail,) = (await api.describe_images(**NAME, imageIds=[{"imageTag": "artifact"}]))["imageDetails"]
    assert detail["artifactMediaType"] == artifact
    assert detail["imageDigest"] == put["image"]["imageId"]["imageDigest"]


async def test_a_manifest_has_at_most_4_mebibytes(api: Api, held: Held) -> None:
    document = json.loads(held.other)
    rest = LARGEST - len(json.dumps({**document, "annotations": {"pad": ""}}))
    largest = json.dumps({**document, "annotations": {"pad": "x" * rest}})
    assert len(largest) == LARGEST
    await api.put_image(**NAME, imageManifest=largest, imageTag="large")
    refusal = await api.refused("put_image", **NAME, imageManifest=largest + " ")
    assert refusal.message == (
        "Invalid parameter at 'imageManifest' failed to satisfy constraint: "
        f"'Member must have length less than or equal to {LARGEST}'"
    )
    # Bytes count, of which a character may have more.
    wide = json.dumps({**document, "annotations": {"pad": "ä" * (rest // 2 + 1)}}, ensure_ascii=False)
    assert "4194304" in (await api.refused("put_image", **NAME, imageManifest=wide)).message


async def test_a_digest_that_is_given_must_be_that_of_the_manifest(api: Api, held: Held) -> None:
    digest = digest_of(held.image.encode())
    put = await api.put_image(**NAME, imageManifest=held.image, imageDigest=digest, imageTag="v3")
    assert put["image"]["imageId"] == {"imageDigest": digest, "imageTag": "v3"}
    refusal = await api.refused("put_image", **NAME, imageManifest=held.other, imageDigest=ABSENT, imageTag="v2")
    assert refusal.code == "ImageDigestDoesNotMatchException"
    assert ABSENT in refusal.message
    assert "v2" not in await images_by_tag(api)


async def test_an_image_goes_into_a_repository_that_there_is(api: Api, held: Held, registry: Registry) -> None:
    refusal = await api.refused("put_image", repositoryName="no", imageManifest=held.image)
    assert refusal.code == "RepositoryNotFoundException"
    assert refusal.message == (
        f"The repository with name 'no' does not exist in the registry with id '{registry.account}'"
    )
