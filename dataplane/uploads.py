"""Uploads of layers: begin, continue, complete. OCI Distribution 1.1, "Pushing Blobs"."""

import re
import uuid
from collections.abc import AsyncIterator

from aiohttp import web

from berth import errors as ecr
from berth import layers, repositories, uploads
from berth.names import Digest, Registry, RepositoryName
from berth.repositories import Repository
from berth.uploads import Session, Upload
from dataplane import bodies, creation, host
from dataplane.call import Call
from dataplane.errors import OciError, upload_range
from dataplane.large_bodies import LargeBody, is_large

# Of the repositories that a layer might be mounted from, so many are looked at where the client names none.
MOST_SOURCES = 32
# OCI Distribution 1.1, "Pushing a blob in chunks": `<first>-<last>`; some clients write RFC 9110's form.
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?(?P<first>[0-9]{1,15})-(?P<last>[0-9]{1,15})(?:/(?:[0-9]{1,15}|\*))?")
# What a request needs that is more than one of ECR's steps, beside the action of its own (dataplane/app.py).
_PART, _COMPLETION = "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"


async def post(call: Call) -> web.StreamResponse:
    query = call.request.query
    if "mount" in query:
        repository = await creation.repository(call)
        digest = _digest(call, "mount")
        if await _mount(call, repository, digest, query.get("from")):
            return _created(call, digest)
    elif "digest" in query:
        for action in (_PART, _COMPLETION):
            await call.authorize(action, call.registry, call.name)
        await creation.repository(call)
        digest = _digest(call, "digest")
        body = _Body(call.request)
        if body.first:
            raise uploads.OutOfOrder(0)
        layer = await uploads.put(call.database, call.store, call.registry, call.name, digest, body.chunks())
        return _created(call, layer.digest)
    return _accepted(call, await _begin(call), 202)


async def _begin(call: Call) -> Upload:
    try:
        return await uploads.begin(call.database, call.registry, call.name, call.principal.arn)
    except ecr.RepositoryNotFound as missing:
        await creation.create(call, missing)
        return await uploads.begin(call.database, call.registry, call.name, call.principal.arn)


async def get(call: Call) -> web.StreamResponse:
    return _accepted(call, await uploads.find(call.database, _session(call)), 204)


async def patch(call: Call) -> web.StreamResponse:
    body = _Body(call.request)
    upload = await uploads.append(call.database, call.store, _session(call), body.chunks(), first_byte=body.first)
    return _accepted(call, upload, 202)


async def put(call: Call) -> web.StreamResponse:
    if "digest" not in call.request.query:
        raise OciError(400, "DIGEST_INVALID", "the query parameter 'digest' is missing: the digest of the whole layer")
    digest = _digest(call, "digest")
    if call.request.body_exists:
        await call.authorize(_PART, call.registry, call.name)
    body = _Body(call.request)
    layer = await uploads.complete(
        call.database,
        call.store,
        _session(call),
        digest,
        last_chunks=body.chunks() if call.request.body_exists else None,
        first_byte=body.first,
    )
    return _created(call, layer.digest)


async def delete(call: Call) -> web.StreamResponse:
    await uploads.cancel(call.database, call.store, _session(call))
    return web.Response(status=204)


async def _mount(call: Call, target: Repository, digest: Digest, source_path: str | None) -> bool:
    """Mount from the repository that `from` names, or from any, where the principal may read it.

    Else the client uploads, and is not told whether the layer is anywhere.
    """
    if source_path is None:
        names = await layers.holders(call.database, call.registry, digest, limit=MOST_SOURCES)
        return await _mount_from_any(call, [(call.registry, name) for name in names], target, digest)
    try:
        source = host.repository(call.addresses, call.request.headers.get("Host", ""), source_path)
    except OciError:
        return False
    return await _mount_from_any(call, [source], target, digest)


async def _mount_from_any(
    call: Call, sources: list[tuple[Registry, RepositoryName]], target: Repository, digest: Digest
) -> bool:
    for registry, name in sources:
        try:
            await call.authorize("ecr:GetDownloadUrlForLayer", registry, name)
            source = await repositories.get(call.database, registry, name)
        except (ecr.AccessDenied, ecr.RepositoryNotFound):
            continue
        if await layers.mount(call.database, source, target, digest):
            return True
    return False


def _digest(call: Call, parameter: str) -> Digest:
    """The digest in a query parameter, which is there once: of two, a proxy might see the one and Berth the other."""
    values = call.request.query.getall(parameter)
    if len(values) > 1:
        raise OciError(400, "DIGEST_INVALID", f"the query parameter '{parameter}' is given {len(values)} times")
    return host.parse_digest(values[0])


def _session(call: Call) -> Session:
    try:
        upload_id = uuid.UUID(call.target.reference)
    except ValueError:
        raise ecr.UploadNotFound(call.registry, call.name, call.target.reference[:100]) from None
    return Session(call.registry, call.name, call.principal.arn, upload_id)


def _accepted(call: Call, upload: Upload, status: int) -> web.Response:
    headers = {
        "Location": f"{call.target.path}/blobs/uploads/{upload.id}",
        "Range": upload_range(upload.received),
        "Docker-Upload-UUID": str(upload.id),
    }
    return web.Response(status=status, headers=headers)


def _created(call: Call, digest: Digest) -> web.Response:
    headers = {"Location": f"{call.target.path}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


class _Body:
    """The bytes of a request, and where in the upload it says that they belong."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.first: int | None = None
        self._length: int | None = None
        if request.content_length is not None and request.content_length > uploads.MAX_LAYER_BYTES:
            raise OciError(413, "SIZE_INVALID", f"a layer has at most {uploads.MAX_LAYER_BYTES} bytes")
        header = request.headers.get("Content-Range")
        if header is None:
            return
        matched = _CONTENT_RANGE.fullmatch(header.strip())
        if matched is None or int(matched["last"]) < int(matched["first"]):
            message = f"the Content-Range '{header[:100]}' is not <first>-<last>, both inclusive"
            raise OciError(416, "BLOB_UPLOAD_INVALID", message)
        self.first = int(matched["first"])
        self._length = int(matched["last"]) - self.first + 1
        if request.content_length is not None and request.content_length != self._length:
            raise self._wrong_length(request.content_length)

    def chunks(self) -> AsyncIterator[bytes]:
        return LargeBody(self._request) if is_large(self._request) else self._small()

    async def _small(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in bodies.chunks(self._request):
            length += len(chunk)
            yield chunk
        if self._length is not None and length != self._length:
            raise self._wrong_length(length)

    def _wrong_length(self, length: int) -> OciError:
        message = f"the body has {length} bytes, the Content-Range says {self._length}"
        return OciError(400, "SIZE_INVALID", message)
