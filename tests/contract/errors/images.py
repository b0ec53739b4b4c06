"""Images and what they reference."""

from tests.contract.errors.stage import ABSENT, NAME, REPOSITORY, Members, Stage, provokes
from tests.integration.controlplane.pushing import Pushed, index_of, manifest_of, push_image


@provokes("ImageAlreadyExistsException", "PutImage")
async def put_twice(stage: Stage) -> Members:
    image = await stage.image("v1")
    return {**REPOSITORY, "imageManifest": image.manifest, "imageTag": "v1"}


@provokes("ImageTagAlreadyExistsException", "PutImage")
async def put_over_an_immutable_tag(stage: Stage) -> Members:
    await stage.image("v1")
    other = await push_image(stage.api, NAME, seed="other")
    await stage.api.put_image_tag_mutability(**REPOSITORY, imageTagMutability="IMMUTABLE")
    return {**REPOSITORY, "imageManifest": other.manifest, "imageTag": "v1"}


@provokes("ImageDigestDoesNotMatchException", "PutImage")
async def put_under_another_digest(stage: Stage) -> Members:
    image = await stage.image()
    return {**REPOSITORY, "imageManifest": image.manifest, "imageDigest": ABSENT}


@provokes("LayersNotFoundException", "PutImage")
async def put_without_its_layers(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "imageManifest": manifest_of(b"{}", [b"nowhere"])}


@provokes("ReferencedImagesNotFoundException", "PutImage")
async def put_without_its_images(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "imageManifest": index_of(Pushed("a manifest", ABSENT, 1))}


@provokes("ImageNotFoundException", "DescribeImages")
async def described_but_not_there(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "imageIds": [{"imageDigest": ABSENT}]}


@provokes(
    "ImageNotFoundException",
    "DescribeImageReplicationStatus",
    "DescribeImageScanFindings",
    "DescribeImageSigningStatus",
    "StartImageScan",
)
async def asked_about_but_not_there(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "imageId": {"imageDigest": ABSENT}}


@provokes("ImageNotFoundException", "UpdateImageStorageClass")
async def archived_but_not_there(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"}


@provokes("ImageStorageClassUpdateNotSupportedException", "UpdateImageStorageClass")
async def archived_though_an_index_needs_it(stage: Stage) -> Members:
    image = await stage.image("v1")
    await stage.api.put_image(**REPOSITORY, imageManifest=index_of(image), imageTag="all")
    return {**REPOSITORY, "imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"}
