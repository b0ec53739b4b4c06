"""Scanning."""

from tests.contract.errors.stage import REPOSITORY, Members, Stage, provokes


@provokes("ValidationException", "StartImageScan")
@provokes("ScanNotFoundException", "DescribeImageScanFindings")
async def without_a_scanner(stage: Stage) -> Members:
    await stage.image("v1")
    return {**REPOSITORY, "imageId": {"imageTag": "v1"}}


@provokes("UnsupportedImageTypeException", "StartImageScan")
async def of_no_image_of_a_file_system(stage: Stage) -> Members:
    await stage.image("v1", artifactType="application/spdx+json")
    return {**REPOSITORY, "imageId": {"imageTag": "v1"}}


@provokes("ImageArchivedException", "StartImageScan")
async def of_an_archived_image(stage: Stage) -> Members:
    image = {"imageId": {"imageDigest": (await stage.image("v1")).digest}}
    await stage.api.update_image_storage_class(**REPOSITORY, **image, targetStorageClass="ARCHIVE")
    return {**REPOSITORY, **image}
