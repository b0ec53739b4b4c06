"""Layers, and the uploads that become them."""

import uuid

from berth.uploads import receiving
from tests.contract.errors.stage import ABSENT, NAME, REPOSITORY, Members, Stage, provokes
from tests.integration.controlplane.pushing import digest_of, push_layer


async def begun(stage: Stage, *parts: bytes) -> Members:
    """An upload of these parts."""
    await stage.repository()
    upload = {**REPOSITORY, "uploadId": (await stage.api.initiate_layer_upload(**REPOSITORY))["uploadId"]}
    first = 0
    for content in parts:
        await stage.api.upload_layer_part(**upload, **part(first, content))
        first += len(content)
    return upload


def part(first: int, content: bytes) -> Members:
    return {"partFirstByte": first, "partLastByte": first + len(content) - 1, "layerPartBlob": content}


@provokes("UploadNotFoundException", "UploadLayerPart")
async def a_part_of_no_upload(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "uploadId": str(uuid.uuid4()), **part(0, b"x")}


@provokes("InvalidLayerPartException", "UploadLayerPart")
async def a_part_that_does_not_follow(stage: Stage) -> Members:
    return {**await begun(stage, b"0123"), **part(5, b"56")}


@provokes("LimitExceededException", "UploadLayerPart")
async def a_part_beyond_the_largest_layer(stage: Stage) -> Members:
    stage.limits.setattr(receiving, "MAX_LAYER_BYTES", 5)
    return {**await begun(stage, b"0123"), **part(4, b"45")}


@provokes("UploadNotFoundException", "CompleteLayerUpload")
async def no_upload(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "uploadId": str(uuid.uuid4()), "layerDigests": [ABSENT]}


@provokes("EmptyUploadException", "CompleteLayerUpload")
async def an_upload_without_parts(stage: Stage) -> Members:
    return {**await begun(stage), "layerDigests": [ABSENT]}


@provokes("InvalidLayerException", "CompleteLayerUpload")
async def another_digest_than_the_bytes_have(stage: Stage) -> Members:
    return {**await begun(stage, b"a layer"), "layerDigests": [ABSENT]}


@provokes("LayerPartTooSmallException", "CompleteLayerUpload")
async def small_parts(stage: Stage) -> Members:
    return {**await begun(stage, b"small", b"parts"), "layerDigests": [digest_of(b"smallparts")]}


@provokes("LayerAlreadyExistsException", "CompleteLayerUpload")
async def a_layer_that_is_there(stage: Stage) -> Members:
    upload = await begun(stage, b"a layer")
    return {**upload, "layerDigests": [await push_layer(stage.api, NAME, b"a layer")]}


@provokes("LayersNotFoundException", "GetDownloadUrlForLayer")
async def a_layer_that_is_not_there(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "layerDigest": ABSENT}


@provokes("LayerInaccessibleException", "GetDownloadUrlForLayer")
async def a_layer_of_no_image(stage: Stage) -> Members:
    await stage.repository()
    return {**REPOSITORY, "layerDigest": await push_layer(stage.api, NAME, b"a layer")}
