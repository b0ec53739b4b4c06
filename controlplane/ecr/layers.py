"""Layers and their uploads (ECR API reference, "InitiateLayerUpload" and those that follow from it)."""

import uuid
from collections.abc import AsyncIterator, Collection
from typing import NoReturn

from berth import layers, uploads
from berth.errors import InvalidLayer, InvalidLayerPart, InvalidParameter, LayerInaccessible, LayersNotFound
from berth.layers import Layer, downloads
from berth.layers.downloads import Download
from berth.names import Digest, NameInvalid, RepositoryName
from berth.store.contract import Blob, Redirect, UploadBusy
from berth.uploads import Session
from controlplane.call import Call, operation
from controlplane.wire.model import Members

# The two ways in which ECR says that a digest is none, both with the pattern of the model's shape LayerDigest.
DIGEST_PATTERN = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
INVALID_DIGEST = f"Invalid request parameters: layer digest should satisfy the regex '{DIGEST_PATTERN}'"
MISSING_DIGEST = "Invalid request parameters: layer digest cannot be null"


@operation("BatchCheckLayerAvailability")
async def batch_check_layer_availability(call: Call, request: Members) -> Members:
    digests, failures = _digests(list(dict.fromkeys(request["layerDigests"])))
    held = await layers.find_all(call.database, call.registry, request["repositoryName"], digests)
    held = await layers.keep(call.database, held)
    return {"layers": [_layer(digest, held.get(digest)) for digest in digests], "failures": failures}


@operation("InitiateLayerUpload")
async def initiate_layer_upload(call: Call, request: Members) -> Members:
    upload = await uploads.begin(call.database, call.registry, request["repositoryName"], call.principal.arn)
    return {"uploadId": str(upload.id), "partSize": uploads.PART_BYTES}


@operation("UploadLayerPart")
async def upload_layer_part(call: Call, request: Members) -> Members:
    session = _session(call, request)
    part, first, last = request["layerPartBlob"], request["partFirstByte"], request["partLastByte"]
    if not part or last - first + 1 != len(part):
        reason = f"The part has {len(part)} bytes, which is not what lies between the first and the last byte given"
        await _refuse_part(call, session, reason)
    try:
        upload = await uploads.append(call.database, call.store, session, _once(part), first_byte=first, is_part=True)
    except uploads.OutOfOrder:
        reason = "The first byte of the part is not consecutive to the last byte of the part before it"
        await _refuse_part(call, session, reason)
    except UploadBusy:
        await _refuse_part(call, session, "Another part of the same upload is being received")
    return {
        "registryId": call.registry.account,
        "repositoryName": session.name,
        "uploadId": str(upload.id),
        "lastByteReceived": upload.received - 1,
    }


@operation("CompleteLayerUpload")
async def complete_layer_upload(call: Call, request: Members) -> Members:
    digest = _only_digest(request["layerDigests"])
    session = _session(call, request)
    try:
        layer = await uploads.complete_parts(call.database, call.store, session, digest)
    except UploadBusy:
        raise InvalidLayer("A part of the layer is still being received") from None
    return {
        "registryId": call.registry.account,
        "repositoryName": session.name,
        "uploadId": str(session.id),
        "layerDigest": layer.digest,
    }


@operation("GetDownloadUrlForLayer")
async def get_download_url_for_layer(call: Call, request: Members) -> Members:
    name, digest = request["repositoryName"], _digest(request["layerDigest"], "layerDigest")
    layer = await layers.find(call.database, call.registry, name, digest)
    if layer is None:
        raise LayersNotFound.within(call.registry, name, digest)
    if not layer.has_image:
        raise LayerInaccessible(call.registry, name, digest, "it is not associated with an image")
    if layer.is_archived:
        raise LayerInaccessible(call.registry, name, digest, layers.ARCHIVED)
    return {"downloadUrl": await _download_url(call, name, digest), "layerDigest": digest}


async def _download_url(call: Call, name: RepositoryName, digest: Digest) -> str:
    """Of the store itself where clients may go there, as they do in ECR; many of them follow no redirect."""
    place = await call.opened.store.locate(Blob(call.registry, digest))
    if isinstance(place, Redirect):
        return place.url
    download = Download(call.principal, call.registry, name, digest)
    return call.opened.addresses.endpoint(call.registry) + downloads.close(call.opened.keyring, download)


def _layer(digest: Digest, layer: Layer | None) -> Members:
    """ECR API reference, "Layer"."""
    if layer is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {
        "layerDigest": digest,
        "layerAvailability": "ARCHIVED" if layer.is_archived else "AVAILABLE",
        "layerSize": layer.size,
        "mediaType": layer.media_type,
    }


def _digests(texts: Collection[str]) -> tuple[list[Digest], list[Members]]:
    digests: list[Digest] = []
    failures: list[Members] = []
    for text in texts:
        try:
            digests.append(Digest.parse(text))
        except NameInvalid:
            code, reason = ("InvalidLayerDigest", INVALID_DIGEST) if text else ("MissingLayerDigest", MISSING_DIGEST)
            failures.append({"layerDigest": text, "failureCode": code, "failureReason": reason})
    return digests, failures


def _only_digest(texts: list[str]) -> Digest:
    """The digest that an upload is completed with: a layer has one."""
    if len(set(texts)) > 1:
        raise InvalidParameter("layerDigests", "A layer has one digest, and more are given")
    return _digest(texts[0], "layerDigests")


def _digest(text: str, parameter: str) -> Digest:
    try:
        return Digest.parse(text)
    except NameInvalid:
        raise InvalidParameter(parameter, f"must satisfy regular expression '{DIGEST_PATTERN}'") from None


def _session(call: Call, request: Members) -> Session:
    return Session(call.registry, request["repositoryName"], call.principal.arn, uuid.UUID(request["uploadId"]))


async def _refuse_part(call: Call, session: Session, reason: str) -> NoReturn:
    """Raises InvalidLayerPart, which says from where the upload goes on, or UploadNotFound."""
    upload = await uploads.find(call.database, session)
    raise InvalidLayerPart(session.registry, session.name, session.id, upload.received, reason)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
